"""The engine: the process that owns the database, and decides what runs where and when."""
