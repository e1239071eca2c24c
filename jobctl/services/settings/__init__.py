"""The services that read settings and recipes, and that record which project files the user trusts."""
