"""``jobctl doctor``: check the store and the machine that the jobs depend on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import Session, now_us, session
from jobctl.errors import Exit, JobctlError, UsageError

if TYPE_CHECKING:
    from jobctl.services.doctor.doctor import Examination

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command)
def doctor(
    ctx: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", help="Fix what is safe to fix.")] = False,
    restore: Annotated[
        bool, typer.Option("--restore", help="Replace a damaged or missing database with its newest copy.")
    ] = False,
) -> int:
    """Check the store and the machine: one line for each check, with the command that helps.

    Examples:
      jobctl doctor
      jobctl doctor --repair       modes, leftover processes, unfinished files
      jobctl doctor -v --json

    This works without a daemon, and with a database that is damaged or missing. The exit code is 0 if no check fails,
    also with warnings, and 1 if a check fails.
    """
    shared = session(ctx)
    if restore:
        if repair:
            raise UsageError("--repair and --restore at once", hint="give one of them")
        return _restore(shared)
    from jobctl.services.doctor.doctor import examine

    found = examine(shared.home, now=now_us(), program=shared.program, slots=_slots(), repair=repair)
    if shared.json:
        shared.emit(found.document())
    else:
        _report(shared, found)
    return Exit.OK if found.ok else Exit.INTERNAL


def _slots() -> int:
    """The slots of a daemon that started now. Mistakes in the settings are reported by a check of their own."""
    import os

    from jobctl.config import cpu_count
    from jobctl.services.daemon.options import daemon_slots
    from jobctl.services.settings.settings import load_settings

    try:
        return daemon_slots(None, load_settings(os.environ, os.getcwd()))
    except (JobctlError, OSError):
        return cpu_count()


def _report(shared: Session, found: Examination) -> None:
    from jobctl.domain.wording import plural
    from jobctl.render.doctor import print_examination

    print_examination(found.document(), sys.stdout, shared.look(sys.stdout), verbose=shared.verbose)
    sys.stdout.flush()
    failures, warnings = found.count("fail"), found.count("warn")
    if failures or warnings:
        parts = [plural(failures, "failure")] if failures else []
        parts += [plural(warnings, "warning")] if warnings else []
        shared.note(", ".join(parts))
    else:
        shared.note("all is well")


def _restore(shared: Session) -> int:
    from jobctl.domain.durations import format_time
    from jobctl.services.doctor.restore import restore

    done = restore(shared.home, now_us())
    if shared.json:
        shared.emit(done.document())
        return Exit.OK
    shared.note(f"the database is the copy of {format_time(done.made_at)} ({done.copy})")
    if done.aside is not None:
        shared.note(f"  the damaged one is in {done.aside}")
    shared.note("  jobs accepted since then are not in it; items that ended since then run again")
    shared.note(f"  look at it: {shared.program} status --all, then: {shared.program} daemon start")
    return Exit.OK
