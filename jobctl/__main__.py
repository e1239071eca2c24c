"""``jobctl`` and ``python -m jobctl``."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    # ``python -m jobctl`` looks for modules in the present folder first; a json.py of the user there must not be ours.
    _ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    try:
        if sys.path and os.path.abspath(sys.path[0]) == os.getcwd() != _ours:
            del sys.path[0]
    except FileNotFoundError:  # the folder is gone, so nothing of it is imported; the command says so
        pass

import atexit
import gc
import signal

from jobctl.cli import standard

TYPE_CHECKING = False  # as typing's own, which takes longer to import than all of this
if TYPE_CHECKING:
    from typing import NoReturn

#: A short command ends before there is anything to collect. A long one collects after this number of new objects.
_COLLECT_AFTER = 100_000
_BROKEN_PIPE = 141


def main() -> NoReturn:
    """Run the command line, and end the process with its exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # While modules are imported, Ctrl-C ends us as it ends any program; ``edge`` does better once it is there.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.set_threshold(_COLLECT_AFTER)
    standard.prepare_streams()
    try:
        code = answer(sys.argv[1:])
    except BrokenPipeError:
        code = _BROKEN_PIPE
    except OSError as error:
        code = standard.give_up_output(error)
    except Exception as error:
        if not standard.is_no_memory(error):
            raise
        standard.tell_no_memory()
        os._exit(1)
    _leave(code)


def answer(arguments: list[str]) -> int:
    """Answer what needs no command tree at once, hand the rest to the command line; returns the exit code."""
    if arguments in (["--version"], ["-V"]):
        from jobctl import __version__

        sys.stdout.write(f"jobctl {__version__}\n")
        return 0
    if arguments[:1] == ["__complete"]:
        from jobctl.cli.completion.answers import complete

        complete(arguments[1:])
        return 0
    try:
        from jobctl.cli.installed import check_typer

        check_typer()
        from jobctl.cli.edge import run
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception as error:
        return _not_loaded(error, arguments)
    return run(arguments)


def _not_loaded(error: Exception, arguments: list[str]) -> int:
    """The command line could not be loaded: name the package because of which. Raises the error if there is none."""
    if standard.is_no_memory(error):
        raise MemoryError from None
    from jobctl.cli.installed import explain, tell

    problem = explain(error)
    if problem is None:
        raise error
    return tell(problem, arguments)


def _leave(code: int) -> NoReturn:
    """End at once: taking the interpreter apart would cost a short command a fifth of its time, and serve nobody."""
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = code or _BROKEN_PIPE
    except OSError as error:
        code = code or standard.give_up_output(error)
    os._exit(code)


if __name__ == "__main__":
    main()
