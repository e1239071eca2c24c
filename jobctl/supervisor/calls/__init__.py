"""Workers that call Python functions, as the supervisor sees them."""
