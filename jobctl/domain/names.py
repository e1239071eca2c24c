"""Names of jobs: a name must not have another meaning as JOB on a command line."""

from __future__ import annotations

import re

from jobctl.domain.texts import MAX_NAME, check_printable
from jobctl.errors import UsageError

#: The queue of a job that names none.
DEFAULT_QUEUE = "default"
#: The word for the newest job.
LAST = "last"
#: Numbers of jobs or of items: ``7``, ``1,3,5-8``.
NUMBERS = r"[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*"
_JOBS = rf"{NUMBERS}\Z"
_ITEMS = rf"(?:{LAST}|{NUMBERS})\.{NUMBERS}\Z"
#: The endings that ``--after`` removes from a name.
_CONDITIONS = (":any", ":ok")


def reading(name: str) -> str:
    """The other meaning of a name for commands, as the end of a sentence; '' for a name without one."""
    if name == LAST:
        return "the newest job"
    if name[:1].isdigit() and re.match(_JOBS, name):
        return "the number of a job" if name.isdigit() else "the numbers of jobs"
    if name.startswith((LAST, *"0123456789")) and re.match(_ITEMS, name):
        return "items of a job"
    if name.startswith("-"):
        return "an option"
    ending = next((ending for ending in _CONDITIONS if name.endswith(ending)), "")
    return f"a job with the condition {ending} of --after" if ending else ""


def check_job_name(name: str) -> None:
    """Raise UsageError for a ``--name`` that cannot be printed, or that a command would not read as this job."""
    check_printable("--name", name, MAX_NAME)
    read = reading(name)
    if read:
        letters = re.sub(r":(?:any|ok)\Z", "", name.strip("-")).strip() or "nightly"
        raise UsageError(
            f"--name {name!r} cannot be a name: as a JOB it means {read}",
            hint=f"choose another, such as --name job-{letters}",
        )


def name_of_file(stem: str, file: str, job: int) -> str:
    """The default name of a job: the name of its file without the suffix, if that is a valid name."""
    return next((name for name in (stem, file) if name and not reading(name)), f"job-{job}")
