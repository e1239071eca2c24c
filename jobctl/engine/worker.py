"""The file that a supervisor of an earlier release starts as a worker, while it drains after an upgrade.

The conversation between supervisor and worker is the same, so the new worker serves it. Remove this file when no daemon
of 0.1.0 can run any more.
"""

import importlib.util
import os

_spec = importlib.util.spec_from_file_location(
    "_jobctl_file", os.path.join(os.path.dirname(__file__), os.pardir, "worker", "main.py")
)
assert _spec is not None and _spec.loader is not None
_worker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_worker)
main = _worker.main
