"""The operating system: processes, signals, locks, detaching, wake-ups."""
