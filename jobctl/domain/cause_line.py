"""Finds the line that names the cause of a failure among the last lines of an output.

The last line often does not name it: it is advice, context, a summary, a progress bar, a frame of a trace. Each line
gets a rank, and the last one of the lines with the highest rank counts.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache

from jobctl.domain.line_patterns import (
    ADVICE,
    ADVISING,
    BAR,
    COMPLAINT,
    CONTEXT,
    ERROR,
    NEVER,
    NO_WORDS,
    SUMMARY,
    UNITS,
)
from jobctl.domain.patterns import late

#: The number of lines with words that are examined, from the last one upwards.
LINES = 50
#: The part of a line that is examined: the time of a search grows with the length of the text.
_LONGEST = 500
#: The rank of a line does not depend on its figures; only a 4 or 5 may begin the status of a reply.
_ALIKE = str.maketrans("01236789", "1" * 8) | str.maketrans("4", "5")
_TWO_LETTERS = late(r"(?!ETA|eta)[A-Za-z]{2}")


class Rank(IntEnum):
    """Ranks of lines: a line of a higher rank is more likely to name the cause."""

    NOTHING = 0  # no words, or words that are never a cause: bars, frames, "Try --help"
    CONTEXT = 1  # advice, details, what indented lines add
    SUMMARY = 2  # says that something failed, and not what: "make: *** [all] Error 1"
    PLAIN = 3
    ERROR = 4  # says of itself that it is an error


#: Times and places at the beginning of a log line.
_STAMP = late(
    r"""\s*(?:
      \[?(?:\d{4}[-/.]\d\d[-/.]\d\d|\d\d[-/.]\d\d[-/.]\d{4})[T\ ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?
         (?:\ ?Z|\ ?[+-]\d\d:?\d\d|\ [A-Z]{3,4}(?=\ \[))?\]?
     |[A-Z][a-z]{2}\ [\ \d]\d\ \d\d:\d\d:\d\d\ \S+(?=\ \S+:)
     |\[(?:[A-Z][a-z]{2}\ )?[A-Z][a-z]{2}\ +\d{1,2}\ \d\d:\d\d:\d\d[^\]]*\]
     |[EWIF]\d{4}\ \d\d:\d\d:\d\d\.\d+\ +\d+\ \S+:\d+\]
     |\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?
    )(?:\ \[\d+\]|\ UTC)?[\ :,|-]*""",
    re.VERBOSE,
)
_MAYBE_STAMP = late(r"\s*(?:\[?(?:\d|[A-Z][a-z]{2} )|[EWIF]\d{4})")
#: The progress meter of curl has no line end: the message follows on the same line, "... --:--:--     0curl: (6)".
_METER = late(r"\s*(?:\d[\d.]*[kMGTP]?\s+){8}(?:[-\d]+:[-\d]+:[-\d]+\s+){3}\d[\d.]*[kMGTP]?(?=[A-Za-z])")
#: The frame that terraform and others draw around a message.
_FRAME = late(r"^\s*[│╷╵┃|╭╰]\s?")
#: The right side of a frame that rich draws, and the line above or below it, which may have a title.
_FRAME_END = late(r"\s*[│┃╮╯]\s*$")
_EDGE = late(r"[─━═]+(?:\s.*)?[─━═]+[╮╯]\s*$")
_VALIDATION = late(r"\b\d+ validation errors? for \S+\Z")
_LEVEL = late(r"\blevel=(\w+)")
_LOGFMT = late(r'\b(?:msg|message|err|error)=(?:"((?:[^"\\]|\\.)*)"|(\S+))')


def bare(line: str) -> str:
    """A line without the time, the progress meter and the frame before its words."""
    if not line.isascii() or "|" in line[:8]:
        line, count = _FRAME.subn("", line)
        if count:
            line = "" if _EDGE.match(line) else _FRAME_END.sub("", line)
    if not _MAYBE_STAMP.match(line):
        return line
    if meter := _METER.match(line[:_LONGEST]):
        return line[meter.end() :]
    stamp = _STAMP.match(line)
    return line[stamp.end() :] if stamp is not None and stamp.end() < len(line.rstrip()) else line


def rank(line: str) -> Rank:
    """The rank of a line without its time: how likely it is to name the cause."""
    return _rank(line[:_LONGEST].translate(_ALIKE))


@lru_cache(maxsize=2_048)
def _rank(line: str) -> Rank:
    text = line.strip()
    if is_figures(text) or NEVER.match(text):
        return Rank.NOTHING
    if SUMMARY.match(text):
        return Rank.SUMMARY
    if CONTEXT.match(text):
        return Rank.CONTEXT
    if ERROR.match(text):
        return Rank.ERROR
    low = text.lower()
    if line[0] in " \t" or (any(word in low for word in ADVISING) and ADVICE.search(low)):
        return Rank.CONTEXT
    return Rank.ERROR if COMPLAINT.match(text) else Rank.PLAIN


def is_figures(line: str) -> bool:
    """True if a line shows only figures or a bar of progress."""
    line = line[:_LONGEST]
    if not _TWO_LETTERS.match(line) and NO_WORDS.match(UNITS.sub("", line)):
        return True
    return ("%" in line or "[" in line or not line.isascii()) and BAR.search(line) is not None


def best(lines: list[str]) -> tuple[Rank, str]:
    """The line that names the cause, and its rank. A line that only announces it is joined with the next line."""
    highest, chosen, words, seen = Rank.NOTHING, -1, "", 0
    for place in range(len(lines) - 1, -1, -1):
        line = bare(lines[place])
        found = rank(line)
        if found is Rank.NOTHING:
            continue
        if place and _is_raised(lines, place):
            found = Rank.ERROR
        if found > highest or (found == highest and _is_better(line, words)):
            highest, chosen, words = found, place, line
        seen += 1
        if seen >= LINES or (found is Rank.ERROR and not _may_be_better(line)):
            break
    return highest, "" if chosen < 0 else _whole(words, lines[chosen + 1 : chosen + 4])


def _is_raised(lines: list[str], place: int) -> bool:
    """True if a line follows the frames of a Python traceback, so that it is the exception whatever its name."""
    if lines[place][0] in " \t":
        return False
    above = place - 1
    while above >= 0 and not lines[above].strip():
        above -= 1
    return (
        above > 0
        and lines[above][0] in " \t"
        and any('File "' in line for line in lines[max(0, above - 3) : above + 1])
    )


def _may_be_better(line: str) -> bool:
    """True if the first of several such lines says the most."""
    return line.startswith(("npm ", "Exception in thread", "\tat", "E: "))


def _is_better(line: str, than: str) -> bool:
    return _may_be_better(line) and line[:8] == than[:8]


def _whole(line: str, below: list[str]) -> str:
    line = line.strip()
    if len(below) > 1 and _VALIDATION.search(line):  # of pydantic: the field and its fault are on the next two lines
        return f"{line}: {below[0].strip()}: {below[1].partition(' [type=')[0].strip()}"
    if not line.endswith(":"):
        return line
    following = (bare(each).strip() for each in below)
    text = next((each for each in following if each and not NO_WORDS.match(each) and not NEVER.match(each)), "")
    return f"{line} {text}".strip()


def of_logfmt(line: str) -> tuple[str, str]:
    """(level, message) of a line of the form ``level=error msg="..."``; empty for another form."""
    level = _LEVEL.search(line)
    found = [quoted or plain for quoted, plain in _LOGFMT.findall(line)]
    return (level[1].lower() if level is not None else ""), ": ".join(dict.fromkeys(found))
