"""The blocks of jobctl-serve(8) with curl, typed into a shell while a server runs."""

from __future__ import annotations

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
RECIPES = """
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
    with program(home, tmp_path) as served:
        for block in BLOCKS:
            script = _with_its_port("\n".join(block.lines), served)
            env = environment(home, tmp_path)
            env["PATH"] = f"{binaries}:{env['PATH']}"
            done = subprocess.run(
                ["/bin/sh", "-ec", script.replace("curl ", "curl --fail-with-body -sS ")],
                env=env,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=PATIENCE_S,
            )
            assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"


def _with_its_port(script: str, served: Program) -> str:
    return script.replace("http://127.0.0.1:8421", served.ready["urls"][0])
