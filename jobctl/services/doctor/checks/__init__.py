"""The checks of ``jobctl doctor``: one module for each subject."""
