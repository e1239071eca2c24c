"""One module for each command: parse, call one service, render."""
