"""The one place where errors become messages and exit codes."""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
from collections.abc import Sequence

import typer

from jobctl.cli import standard
from jobctl.cli.session import Session
from jobctl.errors import Exit, JobctlError, UsageError

#: The base class of the usage errors of typer. Versions of typer have it in different modules.
_ParseError: type[Exception] = typer.BadParameter.__mro__[2]

INTERRUPTED = 130
BROKEN_PIPE = 141
#: A command within a message, and a blank that is not broken.
_COMMAND = re.compile(r"jobctl [^;]*")
_UNBROKEN = "\x1f"
#: Characters of a message, and of its end where something was left out of the middle.
_LONGEST_MESSAGE = 1_000
_ENDING = 200


def run(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code. Raises nothing."""
    session = Session(arguments)
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            # So that a command can clean up. Where SIGINT is ignored, as below nohup, it stays ignored.
            signal.signal(signal.SIGINT, _interrupted)
        try:
            return _guarded(session, arguments)
        finally:
            if signal.getsignal(signal.SIGINT) is _interrupted:
                signal.signal(signal.SIGINT, signal.SIG_DFL)
    except KeyboardInterrupt:
        return _tell_interrupted(session)
    except BrokenPipeError:
        return _stop_writing()


def _tell_interrupted(session: Session) -> int:
    if session.wants_json and not session.has_emitted:
        from jobctl.services.error import error_document

        session.emit(error_document("interrupted", INTERRUPTED, "interrupted"))
        sys.stdout.flush()
    sys.stderr.write("".join(f"{line}\n" for line in ("", *standard.done_lines)))
    return INTERRUPTED


def _interrupted(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the second one ends the process at once, without a traceback
    raise KeyboardInterrupt


def _guarded(session: Session, arguments: Sequence[str]) -> int:
    standard.done_lines.clear()
    try:
        code = _exit_code(session, arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        code = standard.give_up_output(error)
    sys.stderr.flush()
    return code


def _exit_code(session: Session, arguments: Sequence[str]) -> int:
    """The exit code of a command line. Raises OSError when standard output cannot be written, nothing else."""
    try:
        code = _invoke(session, arguments)
    except JobctlError as error:
        code = _explain(session, error)
    except _ParseError as error:
        code = _explain(session, _usage(error))
    except BrokenPipeError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and standard.is_output_lost():
            raise
        if standard.is_no_memory(error):
            raise MemoryError from None
        code = _explain(session, _recognised(session, error) or _unexpected(session, error, arguments))
    return code


def _invoke(session: Session, arguments: Sequence[str]) -> int:
    from jobctl.cli.app import app

    _check_arguments(arguments)
    command = typer.main.get_command(app)
    # Not ``main``: it would end the process itself when the reader of a pipe goes away.
    try:
        with command.make_context("jobctl", list(arguments), obj=session) as context:
            code = command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return code if isinstance(code, int) else Exit.OK


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raises UsageError for text that no process can have been given, as a caller within Python may."""
    for word in arguments:
        if "\0" in word:
            raise UsageError(f"{word!r} has a NUL character, which no argument can have")
        try:
            word.isascii() or os.fsencode(word)
        except UnicodeEncodeError:
            raise _not_text(word) from None


def _usage(error: Exception) -> JobctlError:
    """A mistake that only the parser finds, in the words of jobctl; ``grammar`` has found the others before."""
    context, param = getattr(error, "ctx", None), getattr(error, "param", None)
    command = context.command_path if context is not None else "jobctl"
    text = str(error.format_message()) if hasattr(error, "format_message") else str(error)
    from jobctl.cli.mistakes import argument_missing, argument_too_many
    from jobctl.cli.parameters import option_line
    from jobctl.cli.unknown_commands import no_subcommand

    if text == "Missing command." and context is not None:
        return no_subcommand(context)
    if type(error).__name__ == "MissingParameter" and param is not None:
        return argument_missing(context, param)
    if extra := re.match(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", text, re.DOTALL):
        return argument_too_many(context, extra[1])
    text = re.sub(r"^Invalid value for '(--[\w-]+)'(?: / '-\w')?: ", r"\1: ", text)
    text = text.replace("is not a valid int range", "is not a whole number")
    text = text.replace("is not a valid int", "is not a whole number").replace(
        "is not in the range x>=", "is less than "
    )
    details = [option_line(param)] if text.startswith("--") and param is not None else []
    return UsageError(text[:1].lower() + text[1:].rstrip("."), details=details, hint=f"{command} --help")


def _explain(session: Session, error: JobctlError) -> int:
    hint = session.localise(error.hint)
    if session.wants_json:
        from jobctl.services.error import error_document

        message, details = _shortened(error.message), [_shortened(line) for line in error.details]
        session.emit(error_document(error.code, int(error.exit_code), message, hint and _shortened(hint), details))
        return int(error.exit_code)
    from jobctl.render.inert import inert  # the message may have names and values that other people chose

    lines = [f"jobctl: {inert(_shortened(error.message))}", *(f"  {inert(_shortened(line))}" for line in error.details)]
    if hint:
        lines.append(f"  {inert(_shortened(hint))}")
    if sys.stderr.isatty():
        lines = _wrapped(session, lines)
    sys.stderr.write("\n".join(lines) + "\n")
    if session.verbose and error.__cause__ is not None:
        _trace(error)
    return int(error.exit_code)


def _wrapped(session: Session, lines: list[str]) -> list[str]:
    """Lines broken between words, but not within a command: the first half of one that is pasted would run."""
    from jobctl.render.look import wrap_hanging

    look = session.colorless_look(sys.stderr)
    whole = [_COMMAND.sub(lambda found: found[0].replace(" ", _UNBROKEN), line) for line in lines]
    return [part.replace(_UNBROKEN, " ") for line in whole for part in wrap_hanging(line, look)]


def _shortened(message: str) -> str:
    """A message that is short enough to read; bytes that are not UTF-8 become ``\\xff``."""
    from jobctl.domain.texts import readable

    text = readable(
        message if len(message) <= 2 * _LONGEST_MESSAGE else message[:_LONGEST_MESSAGE] + message[-_ENDING:]
    )
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - _ENDING]} ... {text[-_ENDING:]}"


def _recognised(session: Session, error: Exception) -> JobctlError | None:
    """An error of the database or the disk, with a message that helps."""
    if session.verbose or os.environ.get("JOBCTL_DEBUG"):
        return None
    if isinstance(error, ImportError):
        return None  # a package cannot be loaded, perhaps the one that finds the store
    if isinstance(error, FileNotFoundError) and not error.filename and not _has_working_directory():
        return UsageError(
            "the directory you are in does not exist any more", hint="cd to one that does, then try again"
        )
    if isinstance(error, UnicodeEncodeError) and isinstance(error.object, str):
        return _not_text(error.object)
    if isinstance(error, OSError) and error.errno == errno.E2BIG:
        return JobctlError(
            "the arguments and the environment together are too large for the system to start a process",
            hint="unset large variables (env | sort), then try again",
        )
    if isinstance(error, OSError | MemoryError):
        found = _os_error(error)
        if found is not None:
            return found
    if "jobctl.store.sqlite" not in sys.modules:
        return None
    from jobctl.store.opening.trouble import explain

    return explain(error, str(session.home.root))


def _os_error(error: OSError | MemoryError) -> JobctlError | None:
    """An error of the operating system: a limit of this process that is reached, otherwise the words of the system."""
    from jobctl.process import ulimit

    number = errno.ENOMEM if isinstance(error, MemoryError) else error.errno or 0
    found = ulimit.explain(number)
    if found is not None:
        return JobctlError(found[0], hint=found[1])
    if isinstance(error, MemoryError) or not error.strerror:
        return None
    where = f": {error.filename}" if error.filename else ""
    if number == errno.ENAMETOOLONG:
        return UsageError(f"{error.strerror}{where}", hint="a path has at most 4095 bytes, each name in it 255")
    return JobctlError(f"{error.strerror}{where}", hint="jobctl -v says where this happened")


def _not_text(text: str) -> JobctlError:
    return UsageError(f"{text!r} is not UTF-8 text, and only that can be used here", hint="jobctl -v says where")


def _has_working_directory() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _unexpected(session: Session, error: Exception, arguments: Sequence[str]) -> JobctlError:
    """An error that no code expects."""
    if session.verbose or os.environ.get("JOBCTL_DEBUG"):
        _trace(error)
    import shlex

    from jobctl.cli.installed import explain

    package = explain(error)
    if package is not None:
        return package

    return JobctlError(
        f"this is a bug in jobctl: {type(error).__name__}: {error}",
        hint=f"please report it with the output of: JOBCTL_DEBUG=1 jobctl {shlex.join(arguments)}",
    )


def _trace(error: Exception) -> None:
    import traceback

    traceback.print_exception(error)


def _stop_writing() -> int:
    """The reader of the output has gone: write no more, not even when Python flushes at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(null, stream.fileno())
    return BROKEN_PIPE
