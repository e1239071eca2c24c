"""The numbers by which item states are stored. 0 and 1 cost no bytes in an SQLite record.

They have a module of their own, because shell completion and SQL need them without the 10 ms that enums cost.
"""

from __future__ import annotations

QUEUED = 0
RUNNING = 1
RETRYING = 2
SUCCEEDED = 3
FAILED = 4
UNPROCESSED = 5
