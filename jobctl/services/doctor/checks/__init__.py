"""The checks of ``jobctl doctor``, by subject."""
