"""The messages between engine and supervisor, and the memory that a supervisor shares with a worker."""
