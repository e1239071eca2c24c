"""One job on the terminal."""
