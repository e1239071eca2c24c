"""The report of a job as an HTML page."""
