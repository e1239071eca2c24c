"""What runs an item: from a row and a template to something an executor can start."""
