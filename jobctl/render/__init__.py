"""Turns documents into text: tables, pages, live views, JSON and the HTML report. It reads no database."""
