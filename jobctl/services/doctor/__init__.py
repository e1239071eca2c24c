"""Examining and repairing a store."""
