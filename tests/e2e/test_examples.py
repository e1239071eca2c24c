"""The example of the README does what the README says."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_one_night(cli):
    env = cli.env | {"PATH": f"{Path(cli.program[0]).parent}{os.pathsep}{cli.env['PATH']}"}
    done = subprocess.run(
        ["sh", str(ROOT / "examples" / "nightly.sh")], capture_output=True, text=True, env=env, timeout=60, check=True
    )
    codes = [line for line in done.stdout.splitlines() if line.startswith("[exit")]
    assert codes == ["[exit 4]", "[exit 0]", "[exit 0]", "[exit 0]", "[exit 0]", "[exit 0]"]
    assert "more than the 2 allowed" in done.stderr
    assert "all 12 items succeeded" in done.stdout
