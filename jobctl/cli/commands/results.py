"""``jobctl results``: the files that a finished job leaves."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobctl.cli.command import Command, session
from jobctl.cli.session import Session
from jobctl.errors import Exit, NotFound, UsageError

if TYPE_CHECKING:
    from jobctl.services.output.results import ResultFile

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def results(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A number, a name or last.")],
    succeeded: Annotated[bool, typer.Option("--succeeded", help="The rows that succeeded.")] = False,
    failed: Annotated[bool, typer.Option("--failed", help="The rows that failed.")] = False,
    unprocessed: Annotated[bool, typer.Option("--unprocessed", help="The rows that never ran.")] = False,
    rejected: Annotated[bool, typer.Option("--rejected", help="The rows that were not accepted, and why.")] = False,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Copy the file here; - is stdout.")
    ] = None,
) -> int:
    """Say where the result files of a job are, or hand one out.

    Examples:
      jobctl results last                        the files, with their rows
      jobctl results 42 --failed -o again.csv    a copy, which can be submitted
      jobctl results 42 --succeeded -o - | cut -d, -f1   the rows themselves

    Each row of the input is in exactly one of succeeded, failed and unprocessed: its own columns untouched, then
    jobctl_* columns with exit code, duration, message and so on.
    """
    from jobctl.services.control.targets import resolve_job
    from jobctl.services.output.results import chosen, rejected_file, result_files

    shared = session(ctx)
    database = shared.open()
    number = resolve_job(database, job)
    flags = {"succeeded": succeeded, "failed": failed, "unprocessed": unprocessed}
    kinds = [kind for kind, given in flags.items() if given]
    not_accepted = rejected_file(database, shared.home, number)
    if rejected and not_accepted is None:
        raise NotFound(f"every row of job {number} was accepted", hint=f"jobctl results {number}")
    files = chosen(result_files(database, number), kinds) if kinds or not rejected else []
    if not_accepted is not None and (rejected or not kinds):
        files.append(not_accepted)
    if output is not None:
        _hand_out(shared, number, files, output)
    elif shared.json:
        shared.emit({"schema": "jobctl.results/1", "job": number, "files": [_document(file) for file in files]})
    else:
        _list(shared, files, bare=bool(kinds) or rejected)
    return Exit.OK


def _hand_out(shared: Session, number: int, files: list[ResultFile], output: str) -> None:
    from jobctl.domain.wording import plural
    from jobctl.services.output.results import copy_out, stream_out

    if len(files) != 1:
        raise UsageError("-o needs to know which file", hint="add --succeeded, --failed, --unprocessed or --rejected")
    if output == "-":
        if shared.json:
            from jobctl.services.output.results import lines_of

            head = {"schema": "jobctl.results/1", "job": number, "files": [_document(files[0])]}
            shared.emit_list(head, "lines", lines_of(files[0]))
            return
        sys.stdout.flush()
        stream_out(files[0], sys.stdout.buffer)
        return
    copy_out(files[0], Path(output))
    if shared.json:
        copied = _document(files[0]) | {"copied_to": os.path.abspath(output)}
        shared.emit({"schema": "jobctl.results/1", "job": number, "files": [copied]})
        return
    shared.note(f"{plural(files[0].rows, 'row')} written to {output}")


def _list(shared: Session, files: list[ResultFile], *, bare: bool) -> None:
    """Paths alone for one kind, so that they can be used in a command; with rows for all."""
    if bare or not shared.is_terminal(sys.stdout):
        for file in files:
            shared.say(str(file.path) if bare else f"{file.kind}\t{file.rows}\t{file.path}")
        return
    from jobctl.render.grid import print_grid

    rows = [(file.kind, file.rows, file.path) for file in files]
    print_grid(("items", "rows", "file"), rows, sys.stdout, shared.look(sys.stdout))


def _document(file: ResultFile) -> dict[str, Any]:
    return {"kind": file.kind, "path": str(file.path), "rows": file.rows, "sha256": file.sha256 or None}
