"""``jobctl config``: the settings that are in effect, and where they come from."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from jobctl.cli.command import Command, subcommands
from jobctl.cli.session import session
from jobctl.errors import Exit

app = subcommands(
    """Show the settings and where each comes from, and trust those of a project.

    Examples:
      jobctl config show
      jobctl config path
      jobctl config trust

    The order is: options on the command line, JOBCTL_SECTION_KEY in the environment, jobctl.toml in this folder or one
    above it, config.toml of the user, config.toml of the system. The first one that has a value wins; see
    jobctl-config(5).
    """
)


@app.command(cls=Command)
def show(ctx: typer.Context) -> int:
    """Show every setting, its value, and where the value comes from.

    Examples:
      jobctl config show
      JOBCTL_SUBMIT_SLOTS=2 jobctl config show --json
    """
    from jobctl.services.settings.show import config_document

    shared = session(ctx)
    document = config_document(os.environ, os.getcwd())
    if shared.json:
        shared.emit(document)
        return Exit.OK
    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.render.config import setting_lines
    from jobctl.services.settings.settings import SECTIONS

    for line in setting_lines(document, plain=shared.plain):
        shared.say(line)
    tell_untrusted(shared, *SECTIONS)
    return Exit.OK


@app.command(cls=Command)
def path(ctx: typer.Context) -> int:
    """Show which files jobctl looks for, in their order, and which of them it reads.

    Example:
      jobctl config path
    """
    from jobctl.render.config import file_lines
    from jobctl.services.settings.show import path_document

    shared = session(ctx)
    document = path_document(os.environ, os.getcwd())
    if shared.json:
        shared.emit(document)
        return Exit.OK
    for line in file_lines(document):
        shared.say(line)
    return Exit.OK


_PathArgument = Annotated[
    str | None,
    typer.Argument(metavar="[PATH]", help="A jobctl.toml or its folder; default: the file that applies here."),
]


@app.command(cls=Command)
def trust(ctx: typer.Context, path: _PathArgument = None) -> int:
    """Trust the jobctl.toml of a project as it is now, so that all its settings and recipes take effect.

    Examples:
      jobctl config trust
      jobctl config trust ~/src/pipeline/jobctl.toml

    A jobctl.toml can name commands to run, addresses to call and files to read. jobctl ignores such keys until you
    trust the file. When the file changes, you must trust it again. Files that it names are not part of the trust.
    """
    from jobctl.render.inert import inert
    from jobctl.services.settings.trust import trust

    shared = session(ctx)
    done = trust(path, os.environ, os.getcwd())
    if shared.json:
        shared.emit(done.document())
        return Exit.OK
    shared.say(f"trusted {inert(done.path)}")
    if done.names:
        shared.note(inert(f"in effect from now on: {', '.join(done.names)}"))
    return Exit.OK


@app.command(cls=Command)
def untrust(ctx: typer.Context, path: _PathArgument = None) -> int:
    """Stop trusting the jobctl.toml of a project.

    Examples:
      jobctl config untrust
      jobctl config untrust ~/src/pipeline
    """
    from jobctl.render.inert import inert
    from jobctl.services.settings.trust import untrust

    shared = session(ctx)
    done = untrust(path, os.environ, os.getcwd())
    if shared.json:
        shared.emit(done.document())
        return Exit.OK
    shared.say(inert(f"{done.path} is not trusted any more" if done.was_trusted else f"{done.path} was not trusted"))
    return Exit.OK
