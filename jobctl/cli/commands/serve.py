"""``jobctl serve``: the HTTP server of a store, its tokens, and links for browsers."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobctl.cli.command import Command, Group, subcommands
from jobctl.cli.kept_options import KeptOption, declared, values_of
from jobctl.cli.session import ARGUMENTS, Session, now_us, session
from jobctl.domain.job_options import is_given
from jobctl.domain.serve_options import OPTIONS, ServeOption
from jobctl.errors import Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from jobctl.cli.page import Page
    from jobctl.domain.documents.tokens import ServeDocument, TokensDocument

_VALUES = "jobctl.serve"
#: The packages of the extra, by the names of their modules.
_EXTRA = ("fastapi", "starlette", "uvicorn", "h11", "sse_starlette", "anyio", "pydantic", "python_multipart")


def _declared(option: ServeOption) -> Any:
    kept = KeptOption((f"--{option.name}",), option.metavar, option.help, option.multiple, option.number)
    return declared(kept, _VALUES, option.panel)


class ServeGroup(Group):
    """A group that is a command of its own as well: without a further word, it serves."""

    runs_alone = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.params = [*map(_declared, OPTIONS), *self.params]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the words as they were typed, for messages about mistakes."""
        ctx.meta[ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Serve, or run the command that follows; options of the server belong to it alone."""
        is_alone = not ctx._protected_args  # click empties them
        given = [name for name, value in values_of(ctx, _VALUES).items() if is_given(value)]
        if given and not is_alone:
            option = given[0].replace("_", "-")
            raise UsageError(
                f"--{option} is an option of jobctl serve itself", hint=f"jobctl serve --{option} ... serves the store"
            )
        try:
            return super().invoke(ctx)
        except UsageError as error:
            if is_alone:
                from jobctl.cli.mistakes import complete

                complete(error, self, ctx)
            raise

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Options, then perhaps a command."""
        return ["[OPTIONS]", "[COMMAND ...]"]

    def brief_headings(self, page: Page, ctx: Any) -> None:
        """The commands and the options that most people need, for the page of ``-h``."""
        super().brief_headings(page, ctx)
        chosen = {option.key: option.help for option in OPTIONS if option.is_main}
        params = [param for param in self.params if param.name in chosen]
        page.heading("Options")
        page.short_rows([((param.get_help_record(ctx) or ("",))[0], chosen[str(param.name)]) for param in params])


app = typer.Typer(
    cls=ServeGroup, invoke_without_command=True, no_args_is_help=False, rich_markup_mode=None, add_completion=False
)
token = subcommands(
    """Manage the tokens with which programs use the store over HTTP.

    Examples:
      jobctl serve token add ci --scope submit --recipe thumbnails
      jobctl serve token list
      jobctl serve token revoke ci
    """
)
app.add_typer(token, name="token")


@app.callback()
def serve(ctx: typer.Context) -> int:
    """Serve the store over HTTP: jobs for programs, and a live page for browsers.

    Examples:
      jobctl serve                                a Unix socket, and 127.0.0.1:8421
      jobctl serve token add ci --scope submit    a token for a program
      jobctl serve --listen 0.0.0.0:8421 --tls-cert chain.pem --tls-key key.pem
      curl --unix-socket "$JOBCTL_HOME/serve.sock" http://jobctl/v1/jobs/42

    serve needs the extra http: pip install 'jobctl[http]'. Over TCP, only recipes with http = true run, so that no
    command comes from a request. SIGTERM or Ctrl-C stops it; jobs continue. jobctl man serve describes all of it.
    """
    if ctx.invoked_subcommand is None:
        return _serve(ctx, session(ctx))
    return Exit.OK


def _serve(ctx: typer.Context, shared: Session) -> int:
    from jobctl.cli.submission.untrusted import tell_untrusted
    from jobctl.services.serve.options import serve_options
    from jobctl.services.settings.settings import load_settings

    tell_untrusted(shared, "serve")
    options = serve_options(shared.home, values_of(ctx, _VALUES), load_settings(os.environ, os.getcwd()))
    run = _server()
    return run(
        shared.home,
        options,
        os.environ,
        lambda document: _tell(shared, document),
        program=shared.program,
        verbose=shared.verbose,
    )


def _server() -> Callable[..., int]:
    try:
        from jobctl.http.serving import serve
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in _EXTRA:
            raise
        raise UsageError(
            f"serve needs the package {package}, which is not installed", hint="pip install 'jobctl[http]'"
        ) from missing
    return serve


def _tell(shared: Session, document: ServeDocument) -> None:
    if shared.json:
        shared.emit_line(document)
        sys.stdout.flush()
        return
    from jobctl.render.serve import serve_lines

    for line in serve_lines(document, shared.program, on_terminal=sys.stderr.isatty()):
        shared.note(line)


@app.command(cls=Command)
def link(
    ctx: typer.Context,
    path: Annotated[
        str | None, typer.Option("--socket", metavar="PATH", help="The Unix socket of the server; default: the usual.")
    ] = None,
) -> int:
    """Print a link that signs a browser in, once and within ten minutes.

    Examples:
      jobctl serve link
      xdg-open "$(jobctl serve link)"

    The link is as good as a password until it is used.
    """
    from jobctl.services.serve.link import new_link
    from jobctl.services.serve.options import socket_of
    from jobctl.services.settings.settings import load_settings

    shared = session(ctx)
    at = socket_of(shared.home, path, load_settings(os.environ, os.getcwd()), os.environ)
    document = new_link(shared.home, at)
    if shared.json:
        shared.emit(document)
    else:
        shared.say(document["url"])
    return Exit.OK


@token.command(cls=Command)
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the token, as the journal shows it.")],
    scope: Annotated[
        str | None, typer.Option(metavar="SCOPE", help="What it may do: read, submit or control; it must be given.")
    ] = None,
    recipes: Annotated[
        list[str] | None,
        typer.Option("--recipe", metavar="RECIPE", help="Submit to this recipe only; may be repeated."),
    ] = None,
    queue: Annotated[str | None, typer.Option(metavar="QUEUE", help="Put its jobs into this queue.")] = None,
    rate: Annotated[str | None, typer.Option(metavar="N/s", help="The most requests: 10/s, 600/m.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Let it see the jobs of others as well.")] = False,
) -> int:
    """Make a token for a program and print it. It is shown only here, and stored as a hash.

    Examples:
      jobctl serve token add ci --scope submit --recipe thumbnails --rate 10/s
      jobctl serve token add dashboard --scope read --all

    read looks at jobs, submit also starts them, control also cancels, retries, pauses and changes them. A token sees
    the jobs that it has submitted, with --all every job.
    """
    from jobctl.services.tokens import add_token, read_token

    shared = session(ctx)
    wanted = read_token(name, scope, recipes=recipes or (), queue=queue, rate=rate, sees_all=everything)
    made = add_token(shared.home, wanted, now_us())
    if shared.json:
        shared.emit(made.document())
        return Exit.OK
    shared.say(made.text)
    shared.note(f"the token of {name} ({wanted.scope}); keep it: it is not shown again")
    return Exit.OK


@token.command("list", cls=Command)
def list_(ctx: typer.Context) -> int:
    """List the tokens, what each may do, and whether it counts.

    Example:
      jobctl serve token list
    """
    from jobctl.services.tokens import tokens_document

    shared = session(ctx)
    nothing: TokensDocument = {"schema": "jobctl.tokens/1", "tokens": []}
    document = shared.if_store_exists(lambda: tokens_document(shared.home), nothing)
    if shared.json:
        shared.emit(document)
        return Exit.OK
    from jobctl.render.tokens import print_tokens

    print_tokens(document["tokens"], sys.stdout, shared.look(sys.stdout))
    return Exit.OK


@token.command(cls=Command)
def revoke(
    ctx: typer.Context, name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the token.")]
) -> int:
    """Revoke a token. It counts no more from now on, also for streams that are open; its jobs continue.

    Example:
      jobctl serve token revoke ci
    """
    from jobctl.services.tokens import revoke_token

    shared = session(ctx)
    document = revoke_token(shared.home, name, now_us())
    if shared.json:
        shared.emit(document)
    else:
        shared.note(f"the token {name} {'is' if document['changed'] else 'was already'} revoked")
    return Exit.OK
