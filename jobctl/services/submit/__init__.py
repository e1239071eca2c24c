"""Accepting a file of rows as a job."""
