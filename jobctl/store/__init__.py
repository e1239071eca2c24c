"""The SQLite store. It is the only package with SQL in it."""
