"""The place where a supervisor of an earlier release looks for the program that follows it after an upgrade.

It becomes the new release with the command line that it was started with, so this module has the name of that command
line. Remove it when no daemon of 0.1.0 can run any more.
"""

from jobctl.supervisor.main import main

__all__ = ["main"]
