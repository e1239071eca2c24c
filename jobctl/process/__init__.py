"""The parts of the operating system that both sides of a process boundary use: locks, identity, wake-ups, detaching."""
