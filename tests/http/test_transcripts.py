"""The blocks of jobctl-serve(8) with curl, typed into a shell while a server runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jobctl.config import Home
from tests.documentation import blocks
from tests.factories import JobMaker
from tests.http.doors import Program, environment, program
from tests.http.serving import PATIENCE_S

BLOCKS = [block for block in blocks() if block.where.startswith("jobctl-serve.8") and "curl" in "".join(block.lines)]
#: What a command may be answered. The job of this test is not in every state that the commands of a block are for.
GOOD = {"200", "201", "202", "204", "206", "303", "304", "409"}
CURL = """#!/bin/sh
{curl} -w '\\nanswered with %{{http_code}}\\n' "$@"
"""
RECIPES = """
[recipe.load]
http = true
command = ["true", "{id}"]

[recipe.thumbnails]
http = true
command = ["true", "{path}"]
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


def test_there_are_blocks() -> None:
    assert BLOCKS


def test_every_block_does_what_it_says(home: Home, store: JobMaker, tmp_path: Path) -> None:
    store.job("q")
    store.database.close()
    (tmp_path / ".config" / "jobctl").mkdir(parents=True)
    (tmp_path / ".config" / "jobctl" / "config.toml").write_text(RECIPES)
    (tmp_path / "photos.csv").write_text("path\na.jpg\n")
    binaries = tmp_path / "bin"
    binaries.mkdir()
    (binaries / "jobctl").write_text(f'#!/bin/sh\nexec {sys.executable} -m jobctl "$@"\n')
    (binaries / "jobctl").chmod(0o755)
    (binaries / "curl").write_text(CURL.format(curl=shutil.which("curl")))
    (binaries / "curl").chmod(0o755)
    with program(home, tmp_path) as served:
        for block in BLOCKS:
            script = _with_its_port("\n".join(block.lines), served)
            env = environment(home, tmp_path)
            env["PATH"] = f"{binaries}:{env['PATH']}"
            done = subprocess.run(
                ["/bin/sh", "-ec", script],
                env=env,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=PATIENCE_S,
            )
            said = f"{script}\n{done.stdout}\n{done.stderr}"
            assert done.returncode == 0, said
            answers = set(re.findall(r"answered with (\d+)", done.stdout))
            if "result files are written when it is done" in done.stdout:
                answers.discard("404")
            assert answers <= GOOD, said


def _with_its_port(script: str, served: Program) -> str:
    return script.replace("http://127.0.0.1:8421", served.ready["urls"][0])
