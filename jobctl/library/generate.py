"""Writes the generated modules of the library: ``python -m jobctl.library.generate``; CI compares."""

from __future__ import annotations

from pathlib import Path

from jobctl.library import async_classes, document_classes, option_types


def modules() -> dict[Path, str]:
    """Return the text of each generated module, by its path."""
    here = Path(__file__).parent
    return {
        here / "asynchronous.py": async_classes.module(),
        here / "documents.py": document_classes.module(),
        here / "options.py": option_types.module(),
    }


def main() -> None:
    """Write the modules."""
    for path, text in modules().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
