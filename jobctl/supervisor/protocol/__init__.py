"""What the engine and the supervisor say to each other."""
