"""The Python library: ``jobctl.Store`` and its jobs, over the services of the commands."""
