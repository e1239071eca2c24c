"""Notifications about the end of a job: one module for each channel, and the table of them."""
