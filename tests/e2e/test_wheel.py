"""The wheel on a clean machine: a fresh environment, the program, its man pages and its completions."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from tests.interactive import end

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment in which nothing but the wheel and what it needs is installed."""
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", place, ROOT], check=True)
    (wheel,) = place.glob("jobctl-*.whl")
    prefix = place / "env"
    subprocess.run([sys.executable, "-m", "venv", prefix], check=True)
    subprocess.run([prefix / "bin" / "python", *pip[1:], "install", wheel], check=True)
    return prefix


@pytest.fixture
def env(prefix: Path, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": f"{prefix}/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "JOBCTL_HOME": str(tmp_path / "store"),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
        "PS1": "ready> ",
    }


def run(env: dict[str, str], *words: object, cwd: Path | None = None) -> str:
    command = [str(word) for word in words]
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def need(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def test_the_program_works_and_is_the_one_of_the_wheel(prefix: Path, env: dict[str, str], tmp_path: Path) -> None:
    from jobctl import __version__

    assert run(env, "jobctl", "--version").strip().endswith(__version__)
    (tmp_path / "rows.csv").write_text("id\n1\n2\n3\n")
    assert "all 3 items succeeded" in run(env, "jobctl", "run", "rows.csv", "--", "true", "{id}", cwd=tmp_path)
    assert "succeeded" in run(env, "jobctl", "status", "last")
    assert "job 1 is correct" in run(env, "jobctl", "verify", "last")
    where = run(env, prefix / "bin" / "python", "-c", "import jobctl; print(jobctl.__file__)", cwd=tmp_path)
    assert where.startswith(str(prefix))


def test_the_library_works_with_what_the_wheel_needs_and_has_its_types(
    prefix: Path, env: dict[str, str], tmp_path: Path
) -> None:
    code = (
        "import jobctl; from pathlib import Path; store = jobctl.Store();"
        ' job = store.run(rows=[{"n": 2}], command=["test", "{n}", "=", "2"]);'
        " folder = Path(jobctl.__file__).parent; print(job.status().state, (folder / 'py.typed').exists(),"
        " (folder / '__init__.pyi').exists())"
    )
    assert run(env, prefix / "bin" / "python", "-c", code, cwd=tmp_path).split()[:3] == ["succeeded", "True", "True"]


def test_no_link_of_its_page_on_an_index_is_relative(prefix: Path) -> None:
    (metadata,) = prefix.glob("lib/python*/site-packages/jobctl-*.dist-info/METADATA")
    head, _, description = metadata.read_text().partition("\n\n")
    prose = re.sub(r"(?ms)^```.*?^```|`[^`\n]+`", "", description)
    assert "# jobctl" in prose
    assert [target for target in re.findall(r"\]\(([^)\s]+)\)", prose) if not target.startswith("https://")] == []
    assert all(line.partition(", ")[2].startswith("https://") for line in head.splitlines() if "Project-URL" in line)


def test_extras_are_not_there_and_are_named(env: dict[str, str], tmp_path: Path) -> None:
    terminal = pexpect.spawn("jobctl top", env=env | {"TERM": "xterm"}, encoding="utf-8", timeout=PATIENCE_S)
    terminal.expect_exact("pip install 'jobctl[tui]'")
    terminal.close()
    extras = {"rows.xlsx": "xlsx", "rows.parquet": "parquet"}
    if sys.version_info < (3, 14):  # which has it built in
        extras["rows.csv.zst"] = "zstd"
    for name, extra in extras.items():
        (tmp_path / name).write_bytes(b"\x28\xb5\x2f\xfd..." if extra == "zstd" else b"no matter what")
        done = subprocess.run(
            ["jobctl", "submit", name, "--", "true"], env=env, cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 2
        assert f"pip install 'jobctl[{extra}]'" in done.stderr


def test_every_file_is_where_distributions_look_for_it(prefix: Path) -> None:
    share = prefix / "share"
    (inside,) = prefix.glob("lib/python*/site-packages/jobctl/man")
    assert {path.relative_to(inside) for path in inside.glob("man?/*")} == {
        path.relative_to(ROOT / "man") for path in (ROOT / "man").glob("man?/*")
    }
    pages = {path.relative_to(ROOT / "man") for path in (ROOT / "man").glob("man?/*")}
    assert {path.relative_to(share / "man") for path in (share / "man").glob("man?/*")} == pages
    for name in (
        "bash-completion/completions/jobctl",
        "zsh/site-functions/_jobctl",
        "fish/vendor_completions.d/jobctl.fish",
    ):
        assert (share / name).read_text() == (ROOT / "completions" / Path(name).name).read_text()


@pytest.mark.parametrize("reader", ["man", "mandoc"])
def test_man_pages_are_found_and_read(prefix: Path, env: dict[str, str], reader: str) -> None:
    program = need(reader)
    if reader == "man":
        if "diverted" in Path(os.path.realpath(program)).name or b"minimized" in Path(program).read_bytes()[:400]:
            pytest.skip("man is cut out of this system")
        text = run(env | {"MANPATH": f"{prefix}/share/man", "MANWIDTH": "80"}, "man", "jobctl-submit")
        text += run(env | {"MANPATH": f"{prefix}/share/man"}, "man", "5", "jobctl-config")
    else:
        text = run(env, "mandoc", "-T", "utf8", prefix / "share" / "man" / "man1" / "jobctl-submit.1")
        text += run(env, "mandoc", "-T", "utf8", prefix / "share" / "man" / "man5" / "jobctl-config.5")
    plain = text.replace("\b", "")
    assert "JOBCTL-SUBMIT" in plain and "JOBCTL-CONFIG" in plain
    assert len(plain) > 10_000


def test_the_program_shows_its_pages_wherever_it_is(prefix: Path, env: dict[str, str], tmp_path: Path) -> None:
    assert run(env, "jobctl", "man", "submit").startswith("JOBCTL-SUBMIT(1)")
    folder = run(env, "jobctl", "man", "--path", cwd=tmp_path).strip()
    assert Path(folder, "man1", "jobctl-submit.1").is_file()
    assert folder.startswith(str(prefix))


def test_bash_completes(prefix: Path, env: dict[str, str]) -> None:
    shell = pexpect.spawn(need("bash"), ["--norc", "--noprofile"], env=env, encoding="utf-8", timeout=PATIENCE_S)
    shell.sendline(f"source {prefix}/share/bash-completion/completions/jobctl; PS1='go''> '")
    shell.expect_exact("go> ")
    shell.send("jobctl explai\t")
    shell.expect_exact("explain")
    end(shell)


def test_zsh_completes(prefix: Path, env: dict[str, str], tmp_path: Path) -> None:
    shell = pexpect.spawn(need("zsh"), ["-f"], env=env, encoding="utf-8", timeout=PATIENCE_S)
    folder = f"{prefix}/share/zsh/site-functions"
    setting = "unsetopt beep; unset zle_bracketed_paste; PS1='go''> '"
    shell.sendline(f"fpath=({folder} $fpath); autoload -U compinit; compinit -u -d {tmp_path}/dump; {setting}")
    shell.expect_exact("go> ")
    shell.send("jobctl explai\t")
    shell.expect_exact("explain")
    end(shell)


def test_fish_completes(prefix: Path, env: dict[str, str]) -> None:
    # fish looks below the data folders of the system, as the wheel's prefix is one when it is installed there.
    found = run(env | {"XDG_DATA_DIRS": f"{prefix}/share"}, need("fish"), "-c", "complete -C 'jobctl explai'")
    assert "explain" in found
