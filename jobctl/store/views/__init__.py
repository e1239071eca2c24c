"""Reads the database for the services: each question has a function that returns rows."""
