"""``jobctl doctor``: check a store and this machine, repair a store, and restore it from a copy."""
