"""The engine: the process that owns the database, and decides which items run, where and when."""
