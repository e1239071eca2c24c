"""The services that accept a file of rows as a job."""
