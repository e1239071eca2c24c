"""Check at submit that the function of ``--call`` can be loaded, so that not a million items find out."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from jobctl.domain.call import Call
from jobctl.errors import UsageError
from jobctl.handlers.call import interpreter
from jobctl.process.hook import run_hook
from jobctl.services.submit.request import Origin
from jobctl.supervisor.job_plan import LOAD_FILE

#: Seconds that the import may take. After that, the function is accepted unchecked, and the items find a mistake.
PATIENCE_S = 20.0
_COMMAND = 'exec "$JOBCTL_PYTHON" -c "$JOBCTL_LOADER" "$JOBCTL_FILE"'
_REFUSED = 65


def check_function(call: Call, origin: Origin, input_format: str, columns: Sequence[str]) -> list[str]:
    """Load the function with the interpreter and environment of its workers, without its setup; returns notices.

    Raises UsageError with the reason if it cannot be loaded. If the environment of the job is not known yet
    (``--env NAME``), an exception of the module itself is only a notice.
    """
    python = interpreter(origin.given, origin.env)
    columns = () if input_format == "lines" else tuple(columns)
    particulars = json.dumps([call.target, call.setup, call.style, input_format, columns])
    env = origin.env | {
        "JOBCTL_PYTHON": python,
        "JOBCTL_LOADER": os.fsdecode(LOAD_FILE),
        "JOBCTL_FILE": _loader_path(),
    }
    result = run_hook(_COMMAND, particulars.encode(), env, origin.cwd, PATIENCE_S)
    if result.exit_code == 0 or result.timed_out:
        return []
    reason = _last_line(result.tail)
    if result.exit_code == _REFUSED and origin.env_names and _may_be_the_environment(reason):
        return [f"--call {call.target} may not work: {reason}"]
    raise UsageError(
        f"--call {call.target}: {reason or f'{python} ended with {result.exit_code} while loading it'}",
        hint=f"{python} looked for it in {origin.cwd}; -C DIR and --python PATH change that",
    )


def _may_be_the_environment(reason: str) -> bool:
    return "Error: " in reason and not reason.startswith("ModuleNotFoundError: ")


def _loader_path() -> str:
    import jobctl

    return os.path.join(os.path.dirname(os.path.abspath(jobctl.__file__)), "worker", "load.py")


def _last_line(tail: bytes) -> str:
    lines = tail.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else ""
