"""One line about a job, for logs and pipes: without colours, and never redrawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import number, plural, rate
from jobctl.render.causes import cause_text, hidden_causes
from jobctl.render.inert import inert
from jobctl.render.job.facts import undone_words
from jobctl.render.look import Look, wrap_hanging

if TYPE_CHECKING:
    from jobctl.domain.documents.status import StatusDocument


def progress_line(document: StatusDocument) -> str:
    """``job 42 running: 410 of 1000 items, 10 failed, 6.8/s, done in 1m 27s``."""
    progress, counts = document["progress"], document["counts"]
    parts = [f"{number(progress['processed'])} of {plural(counts['total'], 'item')}"]
    if counts["failed"]:
        parts.append(f"{number(counts['failed'])} failed")
    if counts["retrying"]:
        parts.append(f"{number(counts['retrying'])} retrying")
    if progress["rate_per_s"] and not document["done"]:
        parts.append(rate(progress["rate_per_s"]))
    if progress["eta_s"] is not None:
        parts.append(f"done in {format_duration(progress['eta_s'])}")
    return f"job {document['job']} {document['state']}: {', '.join(parts)}"


def print_summary(document: StatusDocument, stream: TextIO, look: Look) -> None:
    """Print the summary of a finished job. On a terminal, sentences are wrapped; paths and commands are not."""
    stream.write("\n".join(summary_lines(document, look)) + "\n")


def summary_lines(document: StatusDocument, look: Look, groups: int = 5) -> Iterator[str]:
    """Yield the summary of a finished job: figures, causes of failure, the folder of the results, the retry command."""
    took = format_duration(document["time"]["active_s"])
    what = f"job {document['job']} ({inert(document['name'])})"
    yield from wrap_hanging(f"{what} {document['state']}: {inert(document['state_reason'])}, {took}", look)
    for group in document["failures"]["groups"][:groups]:
        samples = ", ".join(str(item) for item in group["sample_items"][:3])
        cause = f"{inert(group['code'])}: {inert(cause_text(group))}"
        yield from wrap_hanging(f"  {number(group['count'])}x {cause} (item {samples})", look)
    shown = min(groups, len(document["failures"]["groups"]))
    if hidden := hidden_causes(document, shown):
        yield f"  and {hidden}"
    undo = document.get("undo")
    if undo is not None and undo["jobs"]:
        yield f"  undo: {undone_words(undo)}"
    if document["results"]["available"]:
        yield f"  results: {inert(document['results']['dir'])}"
    if command := document["retry"]["command"]:
        yield f"  retry: {inert(command)}"
        if note := document["retry"].get("note"):
            yield from wrap_hanging(f"    {note}", look)
