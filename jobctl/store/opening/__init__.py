"""Opening a store: creating it, migrating it, judging whether it can be used."""
