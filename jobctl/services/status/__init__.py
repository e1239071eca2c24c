"""The status document and the figures in it."""
