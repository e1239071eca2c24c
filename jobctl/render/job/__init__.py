"""The page of one job, for terminals and for pipes."""
