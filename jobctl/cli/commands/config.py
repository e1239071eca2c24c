"""``jobctl config``: the settings that are in effect, and where they come from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command, subcommands
from jobctl.cli.session import Session, session
from jobctl.errors import Exit

if TYPE_CHECKING:
    from jobctl.services.settings.change import Changed, Place

app = subcommands(
    """Show and change the settings, and trust those of a project.

    Examples:
      jobctl config show
      jobctl config set submit.timeout 10m
      jobctl config edit

    The order is: options on the command line, JOBCTL_SECTION_KEY in the environment, jobctl.toml in this folder or one
    above it, config.toml of the user, config.toml of the system. The first one that has a value wins; see
    jobctl-config(5).
    """
)


@app.command(cls=Command)
def show(ctx: typer.Context) -> int:
    """Show every setting with its value and the place of the value.

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


_ProjectOption = Annotated[
    bool, typer.Option("--project", help="Change the jobctl.toml of the project, not your own file.")
]
_KeyArgument = Annotated[
    str, typer.Argument(metavar="KEY", help="A key as jobctl config show lists it, such as submit.timeout.")
]


@app.command("set", cls=Command)
def set_(
    ctx: typer.Context,
    key: _KeyArgument,
    values: Annotated[
        list[str], typer.Argument(metavar="VALUE...", help="The value; several for a key that takes a list.")
    ],
    project: _ProjectOption = False,
) -> int:
    """Set one key in your settings, and keep the comments and the order of the file.

    Examples:
      jobctl config set submit.timeout 10m
      jobctl config set daemon.slots 8
      jobctl config set submit.env LANG=C.UTF-8 TZ=UTC --project

    The value is checked before anything is written. A project file that you have trusted stays trusted.
    """
    from jobctl.services.settings.change import set_key

    _tell_change(session(ctx), set_key(key, values, _place(project=project)))
    return Exit.OK


@app.command(cls=Command)
def unset(ctx: typer.Context, key: _KeyArgument, project: _ProjectOption = False) -> int:
    """Remove one key from your settings, so that another file or the default decides.

    Examples:
      jobctl config unset submit.timeout
      jobctl config unset submit.env --project
    """
    from jobctl.services.settings.change import unset_key

    _tell_change(session(ctx), unset_key(key, _place(project=project)))
    return Exit.OK


@app.command(cls=Command)
def edit(ctx: typer.Context, project: _ProjectOption = False) -> int:
    """Open your settings in an editor, and check them before they take effect.

    Examples:
      jobctl config edit
      EDITOR=nano jobctl config edit --project

    The editor is that of VISUAL or EDITOR. It gets a copy. If the copy has a mistake, you can edit it again. If you do
    not, the settings stay as they were, and your text is kept.
    """
    from jobctl.cli.editing import edit_settings
    from jobctl.render.inert import inert

    shared = session(ctx)
    draft, changed = edit_settings(shared, _place(project=project))
    document = draft.document(changed=changed)
    if shared.json:
        shared.emit(document)
        return Exit.OK
    shared.note(inert(f"{document['path']} {'has changed' if changed else 'is unchanged'}"))
    if document["trust"] not in (None, "trusted"):
        shared.note("it is not trusted, so some of its keys have no effect; after a look: jobctl config trust")
    return Exit.OK


def _place(*, project: bool) -> Place:
    from jobctl.services.settings.change import Place

    return Place(project, os.environ, os.getcwd())


def _tell_change(shared: Session, changed: Changed) -> None:
    if shared.json:
        shared.emit(changed.document())
        return
    from jobctl.render.config import change_line

    shared.note(change_line(changed.document()))
    for text in changed.notes:
        shared.note(text)
