"""The command line: parse, call one service, render. Nothing else."""
