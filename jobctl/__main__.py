"""``jobctl`` and ``python -m jobctl``."""

from __future__ import annotations

import sys


def main() -> None:
    """Answer what needs no command tree at once, hand the rest to the command line."""
    arguments = sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):
        # File names and log lines may hold bytes that are no text here; that is no reason to fail.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if arguments in (["--version"], ["-V"]):
        from jobctl import __version__

        sys.stdout.write(f"jobctl {__version__}\n")
        return
    if arguments[:1] == ["__complete"]:
        from jobctl.cli.complete import complete

        complete(arguments[1:])
        return
    from jobctl.cli.edge import run

    sys.exit(run(arguments))


if __name__ == "__main__":
    main()
