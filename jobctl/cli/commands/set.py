"""``jobctl set``: change the rules of a job while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import now_us, session
from jobctl.errors import Exit

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class _SetCommand(Command):
    """Its help page lists the settings, from the table of job options."""

    def headings(self, _ctx: Any) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        from jobctl.domain.job_options import OPTIONS

        yield "Settings", [(option.setting, option.effect) for option in OPTIONS if option.effect]


@app.command("set", cls=_SetCommand)
def set_(
    ctx: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="A number, a name or last.")],
    settings: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="The settings and their new values.")],
) -> int:
    """Change the rules of a job that is not done.

    Examples:
      jobctl set 42 slots=8
      jobctl set 42 timeout=5m attempts=5 max-failures=2%
      jobctl set 42 rate=none deadline=2h
      jobctl set 42 not-before='tomorrow 06:00'

    Each setting is the option of submit with the same name; none removes the limit.
    """
    from jobctl.services.control.rules import changes_in_words, parse_settings, set_document, set_rules
    from jobctl.services.control.targets import job_of

    shared = session(ctx)
    changes, number, now = parse_settings(settings), job_of(shared.home, job), now_us()
    policy = set_rules(shared.home, number, changes, now=now)
    if shared.json:
        shared.emit(set_document(number, policy))
    shared.note(f"job {number}: {changes_in_words(changes, now)}")
    return Exit.OK
