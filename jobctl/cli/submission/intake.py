"""The options that ``submit`` and ``run`` share, and the request they make."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from typer import Context
from typer.core import TyperOption

from jobctl.cli.command import CommandWithWords, before_command, command_words, session
from jobctl.cli.submission.beginning import jobs_before, start_time
from jobctl.cli.submission.defaults import filled
from jobctl.cli.submission.function import check_work, function_of
from jobctl.cli.submission.untrusted import tell_untrusted
from jobctl.domain.nearest import meant
from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.domain.policy import Policy
    from jobctl.services.submit.request import SubmitRequest

_VALUES = "jobctl.intake"
#: Runs a line as the shell text that it is.
JOBLOG_SHELL = "eval {}"
#: Characters of the name and of the value of a label, and labels of a job.
_LONGEST_LABEL = (100, 1_000)
_MOST_LABELS = 100


class Spec(NamedTuple):
    """An option: how it is written, what it takes ('' = nothing), whether it may be repeated."""

    names: tuple[str, ...]
    metavar: str
    help: str
    type: type = str
    multiple: bool = False


_PANELS: dict[str, tuple[Spec, ...]] = {
    "Input": (
        Spec(("--format",), "FORMAT", "csv, tsv, jsonl, lines, xlsx or parquet; else the name of the file tells."),
        Spec(("--delimiter",), "CHAR", "Between fields of a CSV file, default: comma; also tab, semicolon, pipe."),
        Spec(("--comment",), "PREFIX", "Leave out lines of a text file that begin with this, such as '#'."),
        Spec(("--encoding",), "NAME", "Of the file, when it is not UTF-8."),
        Spec(("--no-header",), "", "The first row is data; columns are called 1, 2, 3."),
        Spec(("--sheet",), "NAME", "The sheet of a workbook; default: the first one."),
        Spec(("--from-joblog",), "", "FILE is a GNU parallel joblog: run its failed commands again, by /bin/sh."),
        Spec(
            ("--invalid",),
            "reject|skip|keep",
            "Bad rows: refuse the file (default), leave them out, or keep error cells of a workbook as text.",
        ),
        Spec(("--select",), "ROWS", "Only these rows of the file, by number: 1-100,500,1000-."),
        Spec(("--where",), "CONDITION", "Only rows like this: 'country == \"DE\" and size > 100'."),
        Spec(("--sample",), "N", "A trial: only N rows from all over the file, every time the same.", type=int),
        Spec(("--dry-run", "-n"), "", "Judge the file and show the first commands; change nothing."),
    ),
    "The job": (
        Spec(("--recipe",), "NAME", "Command and options from a recipe, see jobctl recipe; what is given here wins."),
        Spec(("--name",), "NAME", "What to call the job; default: the name of the file."),
        Spec(("--label",), "NAME=VALUE", "Kept with the job; may be repeated.", multiple=True),
        Spec(("--queue",), "NAME", "The lane it waits in; default: default."),
        Spec(("--new-queue",), "", "Make the queue that --queue names, if it is not there yet."),
        Spec(("--priority",), "N", "Higher goes first; default: 0.", type=int),
        Spec(("--key",), "KEY", "Idempotency key: the same key and the same work is the same job."),
        Spec(("--on-duplicate",), "return|fail|resume", "When the key is known: the job (default), an error, a retry."),
        Spec(("--unique",), "", "Refuse while a job with the same work is not done."),
        Spec(("--item-key",), "COLUMN", "The column that names a row; no two rows may have the same."),
        Spec(("--only-new",), "", "Leave out rows that are done or open under this --name, by --item-key and content."),
        Spec(("--new-by",), "COLUMN,...", "Columns that --only-new compares; default: all of them."),
        Spec(("--hold",), "", "Accept it paused; jobctl resume lets it go."),
        Spec(("--after",), "JOB[:any]", "Start when that job succeeded (any: when it is done).", multiple=True),
        Spec(("--not-before",), "TIME", "Start at this time or after: 2026-11-23T18:00:00Z, or 2h from now."),
    ),
    "When it is done": (
        Spec(("--notify",), "URL", "POST the outcome there, signed and retried; may be repeated.", multiple=True),
        Spec(("--on-done",), "COMMAND", "Run this by /bin/sh with the outcome as JSON on stdin.", multiple=True),
        Spec(("--notify-secret-env",), "NAME", "Variable of the daemon that holds the secret for signatures."),
        Spec(("--notify-secret-file",), "FILE", "File (mode 0600) that holds the secret for signatures."),
        Spec(("--allow-http",), "", "Let --notify go over http to other machines."),
    ),
    "How items run": (
        Spec(("--slots", "-j"), "N", "At most so many at once; default: as many as the daemon has.", type=int),
        Spec(("--timeout",), "DURATION", "Stop an item after so long: 90, 5m, 2h; default: never."),
        Spec(("--attempts",), "N", "Tries of an item, the first included; default: 3.", type=int),
        Spec(("--gpus-per-item",), "N", "GPUs for each item alone, named in CUDA_VISIBLE_DEVICES.", type=int),
        Spec(("--resources",), "NAME=N,...", "What an item needs of a worker of a cluster: gpu=1,mem=8."),
        Spec(("--cwd", "-C"), "DIR", "Working directory; default: this one."),
        Spec(("--env",), "NAME[=VALUE]", "A variable; without a value it comes from the daemon.", multiple=True),
        Spec(("--env-all",), "", "Pass on all variables that are set here; their values are stored with the job."),
        Spec(("--env-file",), "FILE", "NAME=VALUE lines, read when items start (for secrets)."),
        Spec(("--shell",), "TEXT", "A shell script instead of COMMAND; values reach it as variables."),
    ),
    "A Python function": (
        Spec(("--call",), "MODULE:FUNCTION", "Call this with each row instead of starting a COMMAND."),
        Spec(("--call-style",), "kwargs|dict", "Columns as keyword arguments (default), or the row as one dict."),
        Spec(("--call-setup",), "MODULE:FUNCTION", "Called once by each worker, before its first row."),
        Spec(("--recycle",), "N", "Replace a worker after so many calls; default: never.", type=int),
        Spec(("--python",), "PATH", "The interpreter; default: that of the active environment."),
    ),
    "Failures": (
        Spec(("--retry-on",), "CODES", "Only these exit codes are tried again: 1,75; default: all but 65, 126, 127."),
        Spec(("--no-retry-on",), "CODES", "These exit codes are not tried again."),
        Spec(
            ("--backoff",),
            "WAIT[xFACTOR][..MAX]",
            "Wait between attempts: this or up to half less, at random; default: 2sx4..60s.",
        ),
        Spec(("--grace",), "DURATION", "Between TERM and KILL; default: 10s."),
        Spec(
            ("--max-failures",),
            "N|N%",
            "Stop when more items failed in this round, N% once 20 are processed; default: never.",
        ),
        Spec(("--halt",), "soon|now", "On that stop, let running items finish (default) or end them."),
        Spec(("--deadline",), "DURATION", "The whole job ends after so long, the rest is unprocessed; default: never."),
        Spec(("--on-crash",), "requeue|fail", "Items interrupted by a crash: run again (default) or not."),
        Spec(
            ("--leftovers",),
            "wait|end|fail",
            "Processes that an item leaves behind: wait for them (default), end them, or fail.",
        ),
        Spec(("--rate",), "N/s", "Start at most so many: 100/s, 60/m; default: no limit."),
        Spec(("--output-cap",), "SIZE", "Output kept of an item, per stream; default: 64M."),
    ),
}


class IntakeCommand(CommandWithWords):
    """A command that accepts work."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params[:1], *_options(), *self.params[1:]]


def _options() -> list[TyperOption]:
    return [_option(spec, panel) for panel, specs in _PANELS.items() for spec in specs]


def _option(spec: Spec, panel: str) -> TyperOption:
    return TyperOption(
        param_decls=list(spec.names),
        is_flag=not spec.metavar,
        default=None if spec.metavar else False,
        type=spec.type if spec.metavar else None,
        multiple=spec.multiple,
        metavar=spec.metavar or None,
        help=spec.help,
        callback=_keep,
        expose_value=False,
        rich_help_panel=panel,
    )


def _keep(ctx: Any, param: Any, value: Any) -> Any:
    ctx.meta.setdefault(_VALUES, {})[param.name] = value
    return value


def values(ctx: Context) -> Mapping[str, Any]:
    """The options as given, by name."""
    found: Mapping[str, Any] = ctx.meta[_VALUES]
    return found


def request_of(ctx: Context, path: str, *, foreground: bool) -> SubmitRequest:
    """The request that a command line means. Raises UsageError naming the option that is wrong."""
    from jobctl.services.submit.request import DEFAULT_QUEUE, NotifyOptions, SubmitRequest
    from jobctl.sources.options import InputOptions

    given, words = values(ctx), command_words(ctx)
    check_work(given, words)
    shared = session(ctx)
    tell = shared.note
    given, words = _of_joblog(given, words) if given["from_joblog"] else filled(given, words)
    starts = foreground or bool(ctx.params.get("start_daemon"))
    tell_untrusted(shared, "submit", *(["daemon"] if starts else []))
    from jobctl.services.submit.shell_habits import shell_words

    if given["env_file"] is not None:
        _warn_of_readers(given["env_file"], tell)
    _tell_of_environment(given, tell)
    if words:
        _check_program(ctx, given, words, foreground=foreground)
    if given["queue"] is not None and not given["new_queue"]:
        from jobctl.cli.submission.naming_queues import allow_new_queue

        allow_new_queue(shared, given["queue"], may_ask=path != "-" and not given["dry_run"])
    policy = _policy(given)
    if policy.resources:
        _check_resources(ctx, foreground=foreground)
    for word in shell_words(words):
        tell(f"{word!r} is handed to {words[0]} as it is: no shell is involved; for one there is --shell")
    not_before_at, not_before_s = start_time(given["not_before"])
    return SubmitRequest(
        input=InputOptions(
            path=path,
            format=given["format"],
            delimiter=given["delimiter"],
            comment=given["comment"],
            encoding=given["encoding"],
            header=not given["no_header"],
            invalid=_one_of(given, "invalid", ("reject", "skip", "keep")),
            sheet=given["sheet"],
            select=given["select"],
            where=given["where"],
            sample=given["sample"],
        ),
        command=tuple(words),
        shell=given["shell"],
        call=function_of(given),
        python=given["python"],
        name=given["name"],
        queue=DEFAULT_QUEUE if given["queue"] is None else given["queue"],
        priority=_priority(given["priority"] or 0),
        labels=_labels(given["label"] or ()),
        cwd=given["cwd"],
        env=tuple(given["env"] or ()),
        env_file=given["env_file"],
        env_all=given["env_all"],
        policy=policy.changed(not_before_s=not_before_s),
        hold=given["hold"],
        foreground=foreground,
        key=given["key"],
        on_duplicate=_one_of(given, "on_duplicate", ("return", "fail", "resume")),
        unique=given["unique"],
        after=jobs_before(ctx, given["after"] or ()),
        item_key=given["item_key"],
        only_new=given["only_new"],
        new_by=_columns(given["new_by"]),
        notify=NotifyOptions(
            urls=given["notify"] or (),
            commands=given["on_done"] or (),
            secret_env=given["notify_secret_env"],
            secret_file=given["notify_secret_file"],
            allow_http=given["allow_http"],
        ),
        not_before_at=not_before_at,
    )


def _check_program(ctx: Context, given: Mapping[str, Any], words: Sequence[str], *, foreground: bool) -> None:
    """Raises UsageError for a command that cannot run; says so if the program may be there when and where it starts."""
    import os

    from jobctl.services.submit.program import Place, check_program
    from jobctl.services.submit.shell_habits import refuse_other_ways

    refuse_other_ways(words)
    environment = {name: value for name, found, value in (text.partition("=") for text in given["env"] or ()) if found}
    later = any(given[name] for name in ("after", "hold", "not_before", "key", "env_file")) or "PATH" in (
        given["env"] or ()
    )
    own, separated = before_command(ctx)
    place = Place(
        cwd=os.path.abspath(os.path.expanduser(given["cwd"] or "")),
        path=environment.get("PATH", os.environ.get("PATH", os.defpath)),
        own=own,
        separated=separated,
        elsewhere=later,
    )
    try:
        said = check_program(words, place)
    except UsageError:
        from jobctl.cli.submission.whereabouts import runs_on_cluster

        if later or not runs_on_cluster(session(ctx), ctx, foreground=foreground):
            raise
        said = check_program(words, place._replace(elsewhere=True))
    if said:
        session(ctx).note(said)


def _check_resources(ctx: Context, *, foreground: bool) -> None:
    """Raises UsageError for resources that nobody would look at; says so where that is not known yet."""
    from jobctl.cli.submission.whereabouts import runs_on_cluster

    shared = session(ctx)
    on_cluster = runs_on_cluster(shared, ctx, foreground=foreground)
    if on_cluster is False:
        raise UsageError(
            "--resources: only workers of a cluster have resources, and these items would run on this machine",
            hint="leave it out (--gpus-per-item and --slots work here), or see jobctl-cluster(7)",
        )
    if on_cluster is None:
        shared.note("--resources works only on a cluster; a daemon that runs items on this machine ignores it")


def _columns(text: str | None) -> tuple[str, ...]:
    """The names in ``a,b``. Raises UsageError for a list that names none, or has an empty name in it."""
    names = () if text is None else tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise UsageError(f"--new-by {text!r} is not a list of columns", hint="--new-by email,amount")
    return names


def _tell_of_environment(given: Mapping[str, Any], tell: Callable[[str], None]) -> None:
    """Items get few variables by themselves: say what they miss, or that all of them are stored."""
    import os

    from jobctl.handlers.environment import left_out

    if given["env_all"]:
        tell("--env-all: the values of all variables that are set here are stored with the job")
        return
    missed = left_out(os.environ, given["env"] or ())
    if missed:
        tell(f"items do not get {', '.join(missed)}: pass one with --env NAME=VALUE, or everything with --env-all")


def _warn_of_readers(path: str, tell: Callable[[str], None]) -> None:
    """A file of secrets is nobody else's business; what is in it may be none, so it is taken all the same."""
    import os
    import stat

    with contextlib.suppress(OSError):
        mode = stat.S_IMODE(os.stat(path).st_mode)
        if mode & (stat.S_IRGRP | stat.S_IROTH):
            tell(f"--env-file {path} can be read by others (mode {mode:04o}): chmod 600 {path}")


def _of_joblog(given: Mapping[str, Any], words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The commands in a joblog are shell text, as they were when GNU parallel ran them."""
    from jobctl.sources.options import JOBLOG

    for option, said in (
        ("a COMMAND", words),
        ("--shell", given["shell"]),
        ("--call", given["call"]),
        ("--format", given["format"]),
    ):
        if said:
            raise UsageError(f"--from-joblog and {option} at once", hint="the joblog has the commands")
    options, _ = filled({**given, "shell": JOBLOG_SHELL, "format": JOBLOG}, [])
    return options, []


def _policy(given: Mapping[str, Any]) -> Policy:
    from jobctl.domain.durations import parse_duration, parse_size
    from jobctl.domain.policy import Policy, checked_count, parse_backoff, parse_codes, parse_max_failures
    from jobctl.domain.rate import parse_rate
    from jobctl.domain.resources import parse_resources

    def checked_rate(text: str) -> str:
        parse_rate(text)
        return text

    readers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "slots": ("slots", checked_count),
        "attempts": ("attempts", checked_count),
        "timeout": ("timeout_s", parse_duration),
        "grace": ("grace_s", lambda text: parse_duration(text, allow_zero=True)),
        "backoff": ("backoff", parse_backoff),
        "retry_on": ("retry_on", parse_codes),
        "no_retry_on": ("no_retry_on", parse_codes),
        "deadline": ("deadline_s", parse_duration),
        "max_failures": ("max_failures", parse_max_failures),
        "rate": ("rate", checked_rate),
        "output_cap": ("output_cap", parse_size),
        "gpus_per_item": ("gpus", checked_count),
        "resources": ("resources", lambda text: tuple(parse_resources(text).items())),
        "recycle": ("recycle", checked_count),
    }
    changes = {
        field: _read(option, reader, given[option])
        for option, (field, reader) in readers.items()
        if given[option] is not None
    }
    return Policy().changed(
        **changes,
        halt=_one_of(given, "halt", ("soon", "now")),
        on_crash=_one_of(given, "on_crash", ("requeue", "fail")),
        leftovers=_one_of(given, "leftovers", ("wait", "end", "fail")),
    )


def _read(option: str, reader: Callable[[Any], Any], value: Any) -> Any:
    try:
        return reader(value)
    except UsageError as error:
        raise UsageError(f"--{option.replace('_', '-')}: {error.message}", hint=error.hint) from None


def _priority(value: int) -> int:
    from jobctl.domain.policy import MAX_COUNT, checked_count

    return int(_read("priority", lambda number: checked_count(number, -MAX_COUNT), value))


def _one_of(given: Mapping[str, Any], name: str, words: tuple[str, ...]) -> Any:
    value = given[name]
    if value is None:
        return words[0]
    if value not in words:
        raise UsageError(
            f"--{name.replace('_', '-')} {value!r} is not known",
            hint=meant(str(value), words, f"use {' or '.join(words)}"),
        )
    return value


def _labels(texts: Iterable[str]) -> dict[str, str]:
    labels = {}
    for text in texts:
        name, given, value = text.partition("=")
        if not given or not re.fullmatch(r"[A-Za-z0-9_./-]+", name):
            raise UsageError(f"--label {text!r} is not NAME=VALUE", hint="for example --label team=billing")
        if len(name) > _LONGEST_LABEL[0] or len(value) > _LONGEST_LABEL[1] or not value.isprintable():
            longest = "{} characters in the name, {} printable ones in the value".format(*_LONGEST_LABEL)
            raise UsageError(f"--label {text!r} cannot be kept", hint=f"at most {longest}")
        labels[name] = value
    if len(labels) > _MOST_LABELS:
        raise UsageError(f"{len(labels)} labels; {_MOST_LABELS} is the most", hint="leave some out")
    return labels


def input_stream(path: str) -> BinaryIO:
    """Standard input for ``-``. Raises UsageError when that is a terminal, where nobody is likely to type a file."""
    if path == "-" and sys.stdin.isatty():
        raise UsageError(
            "standard input is a terminal", hint="pipe the rows in: producer | jobctl submit - --format csv"
        )
    return sys.stdin.buffer
