"""The process that is the parent of every item. Standard library only; it never opens the database."""
