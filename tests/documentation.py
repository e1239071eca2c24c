"""Every command line that README.md, the man pages, the help texts and the examples show, as readers type it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jobctl.cli.app import command_tree

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "man").glob("man?/*"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "examples").glob("*.sh"))
#: Five fields, or a nickname, and a command: a line of a crontab. A variable of the table is none.
_FIELDS = r"(?:[-*/,0-9]+[ \t]+){4}[-*/,0-9a-z]+"
_SCHEDULE = re.compile(rf"^(?:{_FIELDS}|@(?:reboot|hourly|daily|weekly|monthly|yearly))[ \t]+")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that stand together; they are typed one after the other."""

    where: str
    language: str  # sh, python, crontab, toml; '' = what a page sets off, whatever it is
    lines: tuple[str, ...]

    @property
    def crontab(self) -> tuple[str, ...]:
        """Its lines for cron."""
        return tuple(line for line in self.lines if _SCHEDULE.match(line))

    @property
    def is_crontab(self) -> bool:
        """Whether it is (part of) a table of cron."""
        return bool(self.crontab)


def schedule_and_command(line: str) -> tuple[str, str]:
    """The two parts of a line of a crontab."""
    found = _SCHEDULE.match(line)
    assert found is not None, line
    return found[0].strip(), line[found.end() :]


def blocks() -> list[Block]:
    """Everything that is set off, in all documents."""
    return [*_of_readme(), *_of_pages(), *_of_help(), *_of_examples()]


def mentions() -> list[tuple[str, str]]:
    """(where, command of jobctl) in running text."""
    found = [(page.name, line) for page in PAGES for line in _quoted(page)]
    prose = re.sub(r"(?ms)^```.*?^```$", "", README)
    found += [("README.md", " ".join(line.split())) for line in re.findall(r"`(jobctl [^`]+)`", prose)]
    return list(dict.fromkeys(found))


def _of_readme() -> Iterator[Block]:
    for section in re.split(r"(?m)^## ", README)[1:]:
        title = section.partition("\n")[0]
        for language, text in re.findall(r"(?ms)^```([a-z]*)\n(.*?)^```$", section):
            yield Block(f"README.md: {title}", language, _logical(text))


def _of_pages() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        language = "python" if page.suffix == ".3" else ""
        for number, block in enumerate(re.findall(r"(?ms)^\.Bd -literal.*?\n(.*?)^\.Ed", text), 1):
            yield Block(f"{page.name}: {number}", language, _logical(_plain(block)))
        for number, line in enumerate(re.findall(r"(?m)^\.Dl (.*)$", text), 1):
            yield Block(f"{page.name}: line {number}", "", (_plain(line),))


def _quoted(page: Path) -> Iterator[str]:
    for line in re.findall(r"(?m)^\.Ql (jobctl .+?)(?: [.,;])?$", page.read_text(encoding="utf-8")):
        yield _plain(line)


def _of_help() -> Iterator[Block]:
    for node in command_tree().walk():
        for paragraph in node.paragraphs:
            if paragraph.startswith("Example"):
                lines = [re.split(r"\s{3,}", line.strip())[0] for line in paragraph.splitlines()[1:]]
                yield Block(f"jobctl {node.name} --help".replace("  ", " "), "sh", tuple(lines))


def _of_examples() -> Iterator[Block]:
    for path in EXAMPLES:
        for line in re.findall(r"(?m)^# usage: (.*)$", path.read_text(encoding="utf-8")):
            yield Block(f"examples/{path.name}", "sh", (line,))


def _plain(roff: str) -> str:
    return roff.replace("\\-", "-").replace("\\(dq", '"').replace("\\e", "\\").replace("\\&", "")


def _logical(text: str) -> tuple[str, ...]:
    """Lines with their continuations; without those that are empty or a comment."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return tuple(line for line in lines if line.strip() and not line.lstrip().startswith("#"))
