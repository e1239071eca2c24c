"""``jobctl config``: the settings in force, and where they come from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import typer

from jobctl.cli.app import subcommands
from jobctl.cli.command import Command, session
from jobctl.errors import Exit

app = subcommands(
    """Show the settings and where each comes from.

    Examples:
      jobctl config show
      jobctl config path

    Options of a command line win over JOBCTL_SECTION_KEY in the environment, then come ./jobctl.toml (looked for
    upwards), the user's config.toml and that of the system. See jobctl-config(5).
    """
)


class _Row(NamedTuple):
    key: str
    value: Any
    source: str
    where: str


@app.command(cls=Command)
def show(ctx: typer.Context) -> int:
    """Show every setting, its value, and who says so.

    Examples:
      jobctl config show
      JOBCTL_SUBMIT_SLOTS=2 jobctl config show --json
    """
    shared = session(ctx)
    rows = list(_rows())
    if shared.json:
        values = [row._asdict() for row in rows]
        shared.emit({"schema": "jobctl.config/1", "values": values, "files": _files()})
        return Exit.OK
    from jobctl.render.inert import inert

    cells = [(row.key, _shown(row.value), f"{row.source} {row.where}".strip()) for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in (0, 1)]
    for key, value, source in cells:
        shared.say(f"{key:{widths[0]}}  {inert(value):{widths[1]}}  {inert(source)}".rstrip())
    return Exit.OK


@app.command(cls=Command)
def path(ctx: typer.Context) -> int:
    """Say which files are looked at, strongest first, and which are read.

    Example:
      jobctl config path
    """
    shared = session(ctx)
    files = _files()
    if shared.json:
        shared.emit({"schema": "jobctl.config_path/1", "files": files})
        return Exit.OK
    for file in files:
        state = "not there" if not file["exists"] else f"not read: {file['ignored']}" if file["ignored"] else "read"
        shared.say(f"{file['source']}\t{file['path']}\t{state}")
    return Exit.OK


def _rows() -> Iterator[_Row]:
    from jobctl.services.setting_keys import KEYS
    from jobctl.services.settings import load_settings, variable

    settings = load_settings(os.environ, os.getcwd())
    for key in KEYS:
        found = settings.find(key.section, key.name)
        name = f"{key.section}.{key.name}"
        if found is None:
            yield _Row(name, key.default or None, "default", "")
        else:
            yield _Row(name, found.value, found.layer, found.where or variable(key.section, key.name))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _files() -> list[dict[str, Any]]:
    from jobctl.services.settings import places

    return [
        {"source": place.layer, "path": place.path, "exists": place.exists, "ignored": place.ignored or None}
        for place in places(os.environ, os.getcwd())
    ]
