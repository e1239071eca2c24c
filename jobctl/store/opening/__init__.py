"""Opens a store: creates it, migrates it, and decides if it can be used."""
