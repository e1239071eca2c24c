"""Input files to validated rows."""
