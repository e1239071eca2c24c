"""Completion for bash, zsh and fish, and the option lists of the man pages: made from the command tree."""
