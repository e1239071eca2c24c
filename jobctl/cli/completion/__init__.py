"""Generates the completions for bash, zsh and fish, and parts of the man pages, from the command tree."""
