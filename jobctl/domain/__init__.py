"""Pure rules: states, decisions, templates, times. Standard library only, no input or output."""
