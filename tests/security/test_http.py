"""S21: over HTTP nobody but the user gives commands. S7 and S8 for its socket: nothing planted is followed."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from jobctl.config import Home
from jobctl.process import listening, moment
from jobctl.services.control.rules import set_queue
from jobctl.store.opening.open import open_database
from tests.http.doors import environment, program, token_for
from tests.http.serving import PATIENCE_S

NOBODY = 65534
RECIPES = """
[recipe.offered]
http = true
command = ["true", "{id}"]

[recipe.other]
http = true
command = ["true", "{id}"]

[recipe.private]
command = ["true", "{id}"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "sockets"
    place.mkdir(mode=0o700)
    return place


def test_nothing_that_is_planted_at_the_path_is_followed_or_replaced(folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = folder / "s"
    for plant in (
        lambda: path.symlink_to(victim),
        lambda: path.hardlink_to(victim),
        lambda: os.mkfifo(path),
        path.mkdir,
        lambda: path.write_text("x"),
    ):
        plant()
        before = path.lstat()
        with pytest.raises(OSError, match="not a socket of this user"):
            listening.unix_listener(str(path))
        assert os.path.samestat(before, path.lstat())
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    assert victim.read_text() == "precious"


def test_what_is_planted_at_the_path_of_the_new_socket_is_not_followed(folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (folder / "s.new").symlink_to(victim)
    listening.unix_listener(str(folder / "s")).close()
    assert victim.read_text() == "precious"
    assert stat.S_IMODE((folder / "s").lstat().st_mode) == 0o600


def test_a_socket_has_its_rights_from_the_beginning_under_any_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        listener = listening.unix_listener(str(folder / "s"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "s").stat().st_mode) == 0o600
    with pytest.raises(listening.InUseError) as taken:
        listening.unix_listener(str(folder / "s"))
    assert taken.value.pid == os.getpid()
    listener.close()
    listening.unix_listener(str(folder / "s")).close()  # in place of the one whose program is gone


def test_a_folder_that_others_may_write_to_is_refused(folder: Path) -> None:
    folder.chmod(0o777)
    with pytest.raises(PermissionError, match="other users may write"):
        listening.unix_listener(str(folder / "s"))
    folder.chmod(0o1777)
    listening.unix_listener(str(folder / "s")).close()


@pytest.mark.slow
def test_a_planted_lock_starts_no_server(home: Home, tmp_path: Path) -> None:
    home.root.mkdir(mode=0o700)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    home.serve_lock.symlink_to(victim)
    done = subprocess.run(
        [sys.executable, "-m", "jobctl", "serve", "--no-tcp"],
        env=environment(home, tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 1 and "serve.lock" in done.stderr and "Traceback" not in done.stderr
    assert victim.read_text() == "precious"


@pytest.mark.slow
def test_another_user_gets_no_answer_at_the_socket(home: Home, tmp_path: Path) -> None:
    """The mode of the file is the first wall. This one has to hold when somebody opens it."""
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    script = (
        "import os, socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        f"os.setgid({NOBODY}); os.setuid({NOBODY});"
        "t = socket.socket(socket.AF_UNIX);\ntry: t.connect(sys.argv[1])\nexcept OSError as error: print(error.errno);"
        "t = None\nif t:\n t.sendall(b'GET /healthz HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); print(t.recv(100))"
    )
    with program(home, tmp_path, "--no-tcp") as served:
        for folder in (home.root, *home.root.parents):
            if folder != Path("/") and folder.stat().st_uid == 0:
                folder.chmod(folder.stat().st_mode | 0o011)
        home.serve_socket.chmod(0o666)
        done = subprocess.run(
            [sys.executable, "-I", "-c", script, served.ready["socket"]], capture_output=True, text=True, timeout=60
        )
        assert "HTTP/1.1" not in done.stdout, done.stdout
        assert "b''" in done.stdout or "ConnectionReset" in done.stderr or "Broken pipe" in done.stderr, done


def test_no_command_comes_through_an_address(home: Home, tmp_path: Path) -> None:
    (tmp_path / ".config" / "jobctl").mkdir(parents=True)
    (tmp_path / ".config" / "jobctl" / "config.toml").write_text(RECIPES)
    (tmp_path / "jobctl.toml").write_text('[recipe.untrusted]\nhttp = true\ncommand = ["true"]\n')
    open_database(home, create=True).close()
    set_queue(home, "lane", {"slots": "1"}, now=moment.now())
    with program(home, tmp_path) as served, served.at_address() as remote, served.at_socket() as local:
        headers = token_for(home, "ci", "control", sees_all=True) | {"Content-Type": "text/csv"}
        body = b"id\n1\n"

        def post(path: str, **query: str) -> int:
            return remote.post(path, content=body, headers=headers, params=query).status_code

        assert post("/v1/recipes/offered/jobs") == 202
        assert post("/v1/recipes/private/jobs") == 404
        assert post("/v1/recipes/untrusted/jobs") == 404
        assert post("/v1/jobs", command=json.dumps(["true"])) == 403
        for name in ("command", "shell", "cwd", "env", "env-file", "python", "call", "notify", "on-done", "undo"):
            assert post("/v1/recipes/offered/jobs", **{name: "x"}) in (403, 422), name
            assert post("/v1/recipes/offered/jobs", **{name.replace("-", "_"): "x"}) in (403, 422), name
        listed = remote.get("/v1/recipes", headers=headers).json()["recipes"]
        assert [recipe["name"] for recipe in listed] == ["offered", "other"]
        assert local.post("/v1/jobs", content=body, params={"command": '["true"]'}).status_code in (202, 415)
        journal = remote.get("/v1/jobs/1/explain", headers=headers).text
        assert "token ci" in journal
        bound = token_for(home, "bound", "submit", recipes=("offered",), queue="lane") | {"Content-Type": "text/csv"}
        made = remote.post("/v1/recipes/offered/jobs", content=body, headers=bound)
        assert made.status_code == 202 and made.json()["queue"] == "lane"
        assert remote.post("/v1/recipes/other/jobs", content=body, headers=bound).status_code == 404
        elsewhere = remote.post("/v1/recipes/offered/jobs?queue=default", content=body, headers=bound)
        assert elsewhere.status_code == 403
        assert remote.post(f"/v1/jobs/{made.json()['job']}/cancel", headers=bound).status_code == 403
        assert remote.get("/v1/jobs/1", headers=bound).status_code == 404, "a job of another token"


def test_a_peer_is_known_by_the_kernel(folder: Path) -> None:
    listener = listening.unix_listener(str(folder / "s"))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(folder / "s"))
        listener.setblocking(True)
        connection, _ = listener.accept()
        assert listening.peer_of(connection) == (os.getpid(), os.geteuid())
        connection.close()
    listener.close()
