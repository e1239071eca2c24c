"""Executors run attempts: in processes of this machine, in several groups of them, or on the workers of a cluster."""
