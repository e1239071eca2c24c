"""The daemon's two halves and what they share: the loop that owns the database, executors, the supervisor."""
