"""The request that a command line of ``submit`` or ``run`` makes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from typer import Context

from jobctl.cli.session import Session, now_us, session
from jobctl.cli.submission.options import command_line, values
from jobctl.errors import UsageError
from jobctl.services.submit.intake_request import request_of as request_of_options
from jobctl.services.submit.submit_place import SubmitPlace

if TYPE_CHECKING:
    from jobctl.services.submit.request import SubmitRequest

#: Options that other programs do not have. After ``--`` others may be meant for the command.
_OURS_ALONE = {
    "--slots",
    "--attempts",
    "--max-failures",
    "--on-crash",
    "--only-new",
    "--on-duplicate",
    "--start-daemon",
}


def request_of(ctx: Context, path: str, *, foreground: bool) -> SubmitRequest:
    """The request that a command line means. Raises UsageError naming the option or the setting that is wrong."""
    place = place_of(ctx, foreground=foreground, may_ask=path != "-")
    return request_of_options(values(ctx), command_line(ctx).words, path, place)


def place_of(ctx: Context, *, foreground: bool, may_ask: bool) -> SubmitPlace:
    """The place from which a command line submits. ``may_ask``: whether standard input is free for an answer."""
    shared, line = session(ctx), command_line(ctx)
    starts_daemon = bool(ctx.params.get("start_daemon"))

    def tell_ignored() -> None:
        from jobctl.cli.submission.untrusted import tell_untrusted

        tell_untrusted(shared, "submit", *(["daemon"] if foreground or starts_daemon else []))

    def agrees_to_queue(name: str, near: str | None) -> bool | None:
        return _agrees_to_queue(shared, name, near) if may_ask and not values(ctx)["dry_run"] else None

    return SubmitPlace(
        home=shared.home,
        environ=os.environ,
        cwd=os.getcwd(),
        now=now_us(),
        foreground=foreground,
        starts_daemon=starts_daemon,
        cluster=_cluster(ctx) if foreground else {},
        own=line.own,
        separated=line.separated,
        tell=shared.note,
        tell_ignored=tell_ignored,
        note_late_option=_note_late_option,
        agrees_to_queue=agrees_to_queue,
    )


def _cluster(ctx: Context) -> dict[str, object]:
    from jobctl.cli.submission.cluster import cluster_given

    return cluster_given(ctx)


def _note_late_option(words: Sequence[str], separated: bool) -> str:
    """A note about an option of jobctl that comes after the command, so that the command gets it."""
    from jobctl.cli.command import global_options
    from jobctl.domain.job_options import OPTIONS

    ours = _OURS_ALONE
    if not separated:
        ours = {f"--{option.name}" for option in OPTIONS} | {
            name for each in global_options() for name in each.opts[-1:]
        }
    late = next((word for word in words[1:] if word.partition("=")[0] in ours), "")
    if not late:
        return ""
    return f"{late} goes to {words[0]}, because it comes after it; options of jobctl come before the command"


def _agrees_to_queue(shared: Session, name: str, near: str | None) -> bool | None:
    """Ask whether to make a queue; None without a terminal."""
    from jobctl.cli.asking import agrees, is_attended

    if not is_attended(shared):
        return None
    from jobctl.render.inert import inert

    guess = f" (did you mean {inert(near)}?)" if near else ""
    return agrees(f"there is no queue {inert(name)!r}{guess}; make it? [y/N] ", interrupted="nothing was accepted")


def input_stream(path: str) -> BinaryIO:
    """Standard input for ``-``. Raises UsageError for a terminal, on which a person rarely types rows."""
    if path == "-" and sys.stdin.isatty():
        raise UsageError(
            "standard input is a terminal", hint="pipe the rows in: producer | jobctl submit - --format csv"
        )
    return sys.stdin.buffer
