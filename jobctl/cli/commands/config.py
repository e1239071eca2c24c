"""``jobctl config``: the settings in force, and where they come from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

import typer

from jobctl.cli.app import subcommands
from jobctl.cli.command import Command, session
from jobctl.errors import Exit

app = subcommands(
    """Show the settings and where each comes from, and trust those of a project.

    Examples:
      jobctl config show
      jobctl config path
      jobctl config trust

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
        shared.emit({"schema": "jobctl.config/1", "values": values, "files": _files(), "ignored": _ignored()})
        return Exit.OK
    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.render.inert import inert
    from jobctl.services.settings.settings import SECTIONS

    cells = [(row.key, inert(_shown(row.value)), inert(f"{row.source} {row.where}".strip())) for row in rows]
    if shared.plain:
        for row in cells:
            shared.say("\t".join(row))
        tell_untrusted(shared, *SECTIONS)
        return Exit.OK
    widths = [max(len(row[column]) for row in cells) for column in (0, 1)]
    for key, value, source in cells:
        shared.say(f"{key:{widths[0]}}  {value:{widths[1]}}  {source}".rstrip())
    tell_untrusted(shared, *SECTIONS)
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
    from jobctl.render.inert import inert

    for file in files:
        shared.say(f"{file['source']}\t{inert(file['path'])}\t{_state(file)}")
    return Exit.OK


_PathArgument = Annotated[
    str | None,
    typer.Argument(metavar="[PATH]", help="A jobctl.toml or its folder; default: the one that is used here."),
]


@app.command(cls=Command)
def trust(ctx: typer.Context, path: _PathArgument = None) -> int:
    """Trust a project's jobctl.toml as it is now: from here on all of its settings and recipes count.

    Examples:
      jobctl config trust
      jobctl config trust ~/src/pipeline/jobctl.toml

    A jobctl.toml can name commands to run, addresses to call, files to read. Until you trust it such keys are
    ignored. When the file changes, it must be trusted again. Files that it names are not looked at.
    """
    from jobctl.render.inert import inert
    from jobctl.services.settings.trusting import trust as record

    shared = session(ctx)
    done = record(path, os.environ, os.getcwd())
    if shared.json:
        shared.emit({"schema": "jobctl.config_trust/1", "path": done.path, "sha256": done.sha256, "trust": "trusted"})
        return Exit.OK
    shared.say(f"trusted {inert(done.path)}")
    if done.names:
        shared.note(inert(f"in effect from now on: {', '.join(done.names)}"))
    return Exit.OK


@app.command(cls=Command)
def untrust(ctx: typer.Context, path: _PathArgument = None) -> int:
    """Take back what config trust did for a project's jobctl.toml.

    Examples:
      jobctl config untrust
      jobctl config untrust ~/src/pipeline
    """
    from jobctl.render.inert import inert
    from jobctl.services.settings.trusting import untrust as forget

    shared = session(ctx)
    found, was_trusted = forget(path, os.environ, os.getcwd())
    if shared.json:
        document = {"path": found, "trust": "untrusted", "was_trusted": was_trusted}
        shared.emit({"schema": "jobctl.config_trust/1"} | document)
        return Exit.OK
    shared.say(inert(f"{found} is not trusted any more" if was_trusted else f"{found} was not trusted"))
    return Exit.OK


def _rows() -> Iterator[_Row]:
    from jobctl.services.settings.keys import KEYS
    from jobctl.services.settings.settings import load_settings, variable

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


def _state(file: dict[str, Any]) -> str:
    if not file["exists"]:
        return "not there"
    if file["ignored"]:
        return f"not read: {file['ignored']}"
    return {"untrusted": "read, not trusted yet", "changed": "read, changed since it was trusted"}.get(
        file["trust"], "read"
    )


def _files() -> list[dict[str, Any]]:
    from jobctl.services.settings.files import places
    from jobctl.services.settings.trusting import state_of

    return [
        {
            "source": place.layer,
            "path": place.path,
            "exists": place.exists,
            "ignored": place.ignored or None,
            "trust": state_of(place, os.environ),
        }
        for place in places(os.environ, os.getcwd())
    ]


def _ignored() -> list[dict[str, Any]]:
    """Keys and recipes of a project file that is not trusted, which are not in effect."""
    from jobctl.services.settings.settings import load_settings

    layer = load_settings(os.environ, os.getcwd()).untrusted
    if layer is None:
        return []
    keys = [{"key": f"{section}.{name}", "value": value} for (section, name), value in layer.held.items()]
    recipes = [{"key": f"recipe.{name}", "value": value} for name, value in layer.held_recipes.items()]
    return [entry | {"where": layer.where} for entry in keys + recipes]
