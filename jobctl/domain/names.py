"""What a job may be called: nothing that the place of a JOB on a command line reads otherwise."""

from __future__ import annotations

import re

from jobctl.domain.texts import MAX_NAME, check_printable
from jobctl.errors import UsageError

#: The word for the newest job.
LAST = "last"
#: Numbers of jobs or of items: ``7``, ``1,3,5-8``.
NUMBERS = r"[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*"
_JOBS = rf"{NUMBERS}\Z"
_ITEMS = rf"(?:{LAST}|{NUMBERS})\.{NUMBERS}\Z"
#: What ``--after`` reads off the end.
_CONDITIONS = (":any", ":ok")


def reading(name: str) -> str:
    """What commands would read in a name, as the end of a sentence; '' for one that can only be a name."""
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
    """Raises UsageError for a ``--name`` that cannot be printed, or by which the job could not be named again."""
    check_printable("--name", name, MAX_NAME)
    read = reading(name)
    if read:
        letters = re.sub(r":(?:any|ok)\Z", "", name.strip("-")).strip() or "nightly"
        raise UsageError(
            f"--name {name!r} cannot be a name: as a JOB it means {read}",
            hint=f"choose another, such as --name job-{letters}",
        )


def name_of_file(stem: str, file: str, job: int) -> str:
    """The name of a job that was given none: the name of its file without the suffix, where that can be a name."""
    return next((name for name in (stem, file) if name and not reading(name)), f"job-{job}")
