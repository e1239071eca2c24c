"""jobctl: bulk work from a file as an explainable operational contract."""

__version__ = "0.1.0"
