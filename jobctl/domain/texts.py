"""Handles text that may not be UTF-8: Python turns each bad byte of an argument or path into a lone surrogate.

Texts that reach an item (words of its command, its directory, its variables) keep every byte: JSON columns hold the
escapes ``\\udc80`` to ``\\udcff``, columns of plain text hold the bytes themselves. Names (of a job, a queue, a label)
must be text that can be printed. Screens and documents show a bad byte as ``\\xff``. The name of a job
must not have another meaning as JOB on a command line either.
"""

from __future__ import annotations

import os
import re

from jobctl.errors import UsageError

#: The longest name of a job or queue, and the longest reason, in characters.
MAX_NAME = 200
MAX_REASON = 1_000
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
_BAD = re.compile("[\ud800-\udfff]")
#: A bad byte as ``repr`` writes it.
_REPR = re.compile(r"\\ud(c)([89a-f][0-9a-f])")


def is_text(text: str) -> bool:
    """True if a text can be written as UTF-8."""
    return text.isascii() or _BAD.search(text) is None


def stored(text: str) -> str | bytes:
    """The value for a column of text: the text, or its bytes if they are not UTF-8."""
    return text if is_text(text) else os.fsencode(text)


def restored(value: str | bytes) -> str:
    """The text for a value that ``stored`` returned."""
    return value if isinstance(value, str) else os.fsdecode(value)


def shown(text: str, *, in_json: bool = False) -> str:
    """The text with each byte that is not UTF-8 as ``\\xff``: for screens, documents and the journal.

    ``in_json``: the text is JSON, in whose strings a backslash is written twice.
    """
    if is_text(text):
        return text
    return _BAD.sub(lambda match: "\\" * in_json + _escape(match), text)


def readable(message: str) -> str:
    """A message for a person: the same as ``shown``, also for texts that ``repr`` has escaped already."""
    return _REPR.sub(lambda match: _escaped(int(f"d{match[1]}{match[2]}", 16)), shown(message))


def _escape(match: re.Match[str]) -> str:
    return _escaped(ord(match[0]))


def _escaped(code: int) -> str:
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def checked_reason(text: str) -> str:
    """The comment on a pause or a cancel, as it is stored. Raises UsageError for a text that cannot be shown."""
    if len(text) > MAX_REASON:
        raise UsageError(f"--reason has {len(text):,} characters; {MAX_REASON:,} is the most", hint="say it in a line")
    return shown(text)


def check_printable(option: str, text: str, longest: int) -> None:
    """Raise UsageError for a text that cannot be a name: it is empty, too long, or not printable."""
    if not (text.strip() and text.isprintable() and len(text) <= longest):
        raise UsageError(f"{option} {text!r} is not a name", hint=f"1 to {longest} characters that can be printed")


def other_meaning(name: str) -> str:
    """The other meaning of a name of a job for commands, as the end of a sentence; '' for a name without one."""
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
    meaning = other_meaning(name)
    if meaning:
        letters = re.sub(r":(?:any|ok)\Z", "", name.strip("-")).strip() or "nightly"
        raise UsageError(
            f"--name {name!r} cannot be a name: as a JOB it means {meaning}",
            hint=f"choose another, such as --name job-{letters}",
        )


def name_of_file(stem: str, file: str, job: int) -> str:
    """The default name of a job: the name of its file without the suffix, if that is a valid name."""
    return next((name for name in (stem, file) if name and not other_meaning(name)), f"job-{job}")
