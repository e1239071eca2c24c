"""The daemon: its state, starting and stopping it, waiting for it."""
