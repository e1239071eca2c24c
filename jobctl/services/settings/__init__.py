"""Settings, recipes, and which project files the user trusts."""
