"""The jobs that the engine works on: which may start an item now, and how many."""
