"""The SQLite store. The only package with SQL in it."""
