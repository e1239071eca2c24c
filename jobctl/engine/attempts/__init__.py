"""Claims and settles the attempts of items, and recovers them after a crash."""
