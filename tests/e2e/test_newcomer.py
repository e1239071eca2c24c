"""The first sections of README.md as a newcomer types them: a fresh home, a fresh environment, only what is shown."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documentation import README, ROOT, Block, blocks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FIRST = "README.md: Five things to do"
#: The exit codes that the text names.
CODES = {"jobctl run naps.csv --slots 8": 3}


class Newcomer:
    """A person with an empty home, pipx and a clone."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.clone = root / "clone"
        self.home.mkdir()
        subprocess.run([sys.executable, "-m", "venv", root / "pipx"], check=True)
        subprocess.run([root / "pipx/bin/pip", "--quiet", "install", "pipx"], check=True)
        path = [self.home / ".local/bin", root / "pipx/bin", Path(sys.executable).parent, "/usr/bin", "/bin"]
        kept = {name: text for name, text in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
        self.env = kept | {"HOME": str(self.home), "PATH": ":".join(map(str, path)), "LC_ALL": "C.UTF-8"}

    def types(self, line: str, folder: Path) -> str:
        """Type a line into a shell; its exit code must be the one that the text names."""
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        expected = next((code for start, code in CODES.items() if line.startswith(start)), 0)
        assert done.returncode == expected, f"{line}\nexit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture
def newcomer(tmp_path):
    person = Newcomer(tmp_path)
    # Only what a clone has: a build must not need anything that a developer has around.
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, files)):
        if (ROOT / name).is_file():
            (person.clone / name).parent.mkdir(parents=True, exist_ok=True)
            (person.clone / name).write_bytes((ROOT / name).read_bytes())
    yield person
    if (person.home / ".local/bin/jobctl").exists():
        subprocess.run(["jobctl", "daemon", "stop", "--now"], env=person.env, capture_output=True, check=False)


def _of(where: str) -> list[Block]:
    return [block for block in blocks() if block.where == where and not block.is_crontab]


def _form(text: str) -> str:
    """A text without what differs from run to run: durations and folders."""
    return re.sub(r"\d+(\.\d+)?m?s\b", "TIME", re.sub(r"(~|/\S*)/\.local/state", "STATE", text))


def test_every_block_does_what_the_text_says(newcomer):
    (install,) = _of("README.md: Install")
    for line in install.lines:
        newcomer.types(line, newcomer.clone)
    work = newcomer.home / "work"
    work.mkdir()
    said = ""
    shown = _of(FIRST)
    assert len(shown) >= 6
    for block in shown:
        if block.language == "python":
            name = re.search(r"# (\w+\.py)\n", README)[1]
            (work / name).write_text("\n".join(block.lines) + "\n")
        elif block.language == "sh":
            said = "".join(newcomer.types(line, work) for line in block.lines)
        else:
            assert _form("\n".join(block.lines)) in _form(said)  # the output that the text shows
    assert (work / "scored.csv").read_text().count('""long"":') == 100
