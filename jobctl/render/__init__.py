"""Documents to terminals: tables, live views, JSON. Knows dictionaries, not databases."""
