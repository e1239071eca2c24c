"""Notifications about the end of a job, delivered with retries."""
