"""The command line: it parses, calls one service, and prints the result."""
