"""The process that is the parent of every item. It uses only the standard library and never opens the database."""
