"""``jobctl serve`` as a process: where it listens, how it stops, and what is left after ``kill -9``."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from jobctl.config import Home
from jobctl.domain.addresses import Address
from jobctl.domain.documents.tokens import ServeDocument
from jobctl.errors import HomeError, UsageError
from jobctl.render.serve import serve_lines
from jobctl.services.serve.options import ServeOptions, serve_options, socket_path
from jobctl.services.serve.sockets import listening_at
from jobctl.services.settings.settings import Settings, load_settings
from tests.http.doors import environment, program, token_for
from tests.http.serving import PATIENCE_S
from tests.schemas import check, check_named
from tests.wait import wait_until

NO_SETTINGS = Settings([])


def said_by(home: Home, work: Path, *words: str) -> tuple[int, str]:
    """The exit code and the messages of a command that ends by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "jobctl", *words],
        env=environment(home, work),
        cwd=work,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=PATIENCE_S,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_server_from_its_start_to_its_end(home: Home, tmp_path: Path) -> None:
    with program(home, tmp_path, "--verbose") as served:
        ready = check_named(served.ready)
        assert ready["socket"] == str(home.serve_socket) and ready["pid"] == served.process.pid
        assert not ready["daemon"]
        assert stat.S_IMODE(home.serve_socket.stat().st_mode) == 0o600
        code, said = said_by(home, tmp_path, "serve", "--listen", "127.0.0.1:0")
        assert code == 75 and f"process {served.process.pid}" in said
        reader = token_for(home, "reader", "read", sees_all=True)
        secrets = [reader["Authorization"].split()[1], ready["link"].split("key=")[1]]
        with served.at_socket() as local, served.at_address() as remote:
            assert local.get("/v1/jobs").status_code == 200
            assert remote.get("/v1/jobs").status_code == 401
            assert remote.get("/v1/jobs", headers=reader).status_code == 200
            assert remote.get(ready["link"]).status_code == 303
            secrets += remote.cookies.values()
            assert remote.get("/v1/jobs?name=hidden-in-the-query").status_code == 200
            assert remote.get("/v1/jobs", headers={"Authorization": "Bearer jobctl_wrong"}).status_code == 401
            code, link = said_by(home, tmp_path, "serve", "link")
            assert code == 0
            assert remote.get(link.strip()).status_code == 303
            secrets.append(link.strip().split("key=")[1])
        arguments = Path(f"/proc/{served.process.pid}/cmdline").read_bytes().decode()
        code, said = served.stop()
    assert code == 0
    assert "token_reader GET /v1/jobs 200" in said and "(browser) GET /v1/jobs 200" in said
    assert "jobctl_wrong" not in said and "hidden-in-the-query" not in said
    assert not [secret for secret in secrets if secret in said + arguments]
    assert not home.serve_socket.exists()


def test_kill_9_leaves_nothing_that_blocks_the_next_start(home: Home, tmp_path: Path) -> None:
    with program(home, tmp_path, "--no-tcp") as served:
        assert served.stop(signal.SIGKILL)[0] == -signal.SIGKILL
        assert home.serve_socket.is_socket()
        assert said_by(home, tmp_path, "serve", "link")[0] == 75
    with program(home, tmp_path, "--no-tcp") as again, again.at_socket() as client:
        assert client.get("/healthz").status_code == 200
        assert again.ready["link"] is None
        code, said = said_by(home, tmp_path, "serve", "link")
        assert code == 2 and "--no-tcp" in said
        assert again.stop(signal.SIGINT) == (0, "")


@pytest.mark.slow
def test_a_service_manager_passes_its_sockets_on(home: Home, tmp_path: Path) -> None:
    """As systemd does it: descriptors from 3 on, and the number of the process."""
    at_path, at_port = socket.socket(socket.AF_UNIX), socket.create_server(("127.0.0.1", 0))
    at_path.bind(str(tmp_path / "passed.sock"))
    at_path.listen()
    both = (at_path.fileno(), at_port.fileno())
    script = (
        "import os, sys; high = [os.dup2(int(fd), 100 + n) for n, fd in enumerate(sys.argv[1:3])];"
        "[os.dup2(fd, 3 + n) for n, fd in enumerate(high)]; os.environ['LISTEN_PID'] = str(os.getpid());"
        "os.environ['LISTEN_FDS'] = '2'; os.execv(sys.executable, [sys.executable, '-m', 'jobctl', *sys.argv[3:]])"
    )
    command = [sys.executable, "-c", script, *map(str, both), "--json", "serve"]
    process = subprocess.Popen(
        command,
        env=environment(home, tmp_path),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=both,
    )
    try:
        import httpx

        url = f"http://127.0.0.1:{at_port.getsockname()[1]}"
        # The connections wait in the sockets until the server is up, so nothing polls here.
        transport = httpx.HTTPTransport(uds=str(tmp_path / "passed.sock"))
        with httpx.Client(transport=transport, timeout=PATIENCE_S) as client:
            assert client.get("http://jobctl/healthz").status_code == 200
        with httpx.Client(timeout=PATIENCE_S, trust_env=False) as client:
            assert client.get(f"{url}/v1/jobs").status_code == 401
        assert not home.serve_socket.exists()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        assert (tmp_path / "passed.sock").is_socket(), "it belongs to the service manager"
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=PATIENCE_S)
        at_path.close()
        at_port.close()


@pytest.mark.slow
def test_a_running_request_finishes_and_a_stream_ends_when_the_server_stops(home: Home, tmp_path: Path) -> None:
    with program(home, tmp_path, "--no-tcp") as served:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE_S)
        connection.connect(served.ready["socket"])
        head = b"POST /v1/jobs?command=%5B%22true%22%5D HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
        connection.sendall(head + b"Content-Length: 4\r\n\r\na\n")
        with served.at_socket() as client:
            assert client.get("/healthz").status_code == 200  # so the upload before it is under way
        served.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not _accepts(served.ready["socket"]), what="the end of listening")
        connection.sendall(b"b\n")
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
        connection.close()
        assert answer.startswith(b"HTTP/1.1 202 "), answer[:300]
        assert served.process.wait(PATIENCE_S) == 0
    assert said_by(home, tmp_path, "status", "1", "--json")[0] == 0


def _accepts(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


@pytest.mark.slow
def test_slow_and_oversized_heads_are_cut_off(home: Home, tmp_path: Path) -> None:
    with program(home, tmp_path, "--client-timeout", "1s", "--max-connections", "3") as served:
        address = served.ready["urls"][0].removeprefix("http://").split(":")

        def answer(sent: bytes) -> bytes:
            with socket.create_connection((address[0], int(address[1])), timeout=PATIENCE_S) as connection:
                connection.sendall(sent)
                received = b""
                while piece := connection.recv(65_536):
                    received += piece
                return received

        assert answer(b"GET /healthz HTTP/1.1\r\nHost: loc").startswith(b"HTTP/1.1 408 ")
        assert answer(b"").startswith(b"HTTP/1.1 408 ")
        large = answer(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000)
        assert large.startswith(b"HTTP/1.1 431 ") and b"header_too_large" in large
        check("problem-1", json.loads(large.partition(b"\r\n\r\n")[2]))
        assert answer(b"\0\1\2\r\n\r\n").startswith(b"HTTP/1.1 400 ")
        many = [socket.create_connection((address[0], int(address[1])), timeout=PATIENCE_S) for _ in range(4)]
        many[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert many[-1].recv(65_536).startswith(b"HTTP/1.1 503 ")
        for each in many:
            each.close()


@pytest.mark.slow
def test_tls_is_for_addresses_and_not_for_the_socket(home: Home, tmp_path: Path) -> None:
    files = {"cert": tmp_path / "cert.pem", "key": tmp_path / "key.pem"}
    new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    out = ["-keyout", str(files["key"]), "-out", str(files["cert"])]
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    subprocess.run(["openssl", *new, *names, *out], check=True, capture_output=True)
    files["key"].chmod(0o600)
    words = [f"--tls-{name}={path}" for name, path in files.items()]
    with program(home, tmp_path, *words) as served, served.at_socket() as local:
        assert served.ready["urls"][0].startswith("https://127.0.0.1:")
        assert local.get("/healthz").status_code == 200
        context = ssl.create_default_context(cafile=str(files["cert"]))
        with served.at_address(verify=context) as remote:
            assert remote.get("/v1/jobs").status_code == 401
            opened = remote.get(served.ready["link"])
            assert "Secure" in opened.headers["set-cookie"]
            assert remote.get("/v1/jobs").status_code == 200
    (tmp_path / "cert.pem").write_text("x")
    code, said = said_by(home, tmp_path, "serve", *words)
    assert code == 2 and "--tls-cert" in said


def test_the_words_of_a_server_that_is_ready() -> None:
    document: ServeDocument = {
        "schema": "jobctl.serve/1",
        "pid": 7,
        "socket": "/s/serve.sock",
        "urls": ["http://127.0.0.1:8421"],
        "link": "http://127.0.0.1:8421/open?key=secret",
        "link_expires_at": "2026-11-30T21:53:10.973Z",
        "daemon": False,
    }
    shown = "\n".join(serve_lines(document, "jobctl", on_terminal=True))
    assert "key=secret" in shown and "no daemon is running: jobs are accepted and wait" in shown
    logged = "\n".join(serve_lines(document, "jobctl", on_terminal=False))
    assert "secret" not in logged and "jobctl serve link" in logged
    assert "daemon" not in "\n".join(serve_lines(document | {"daemon": True}, "jobctl", on_terminal=True))


def options(tmp_path: Path, **given: object) -> ServeOptions:
    return serve_options(Home(tmp_path / "state"), given, NO_SETTINGS)


def test_the_usual_options(tmp_path: Path) -> None:
    found = options(tmp_path)
    assert found.addresses == (Address("127.0.0.1", 8421),)
    assert found.socket == str(tmp_path / "state" / "serve.sock")
    assert found.hosts == {"localhost", "127.0.0.1", "::1"}
    assert options(tmp_path, no_tcp=True).addresses == ()
    assert options(tmp_path, host=("Jobs.Example.ORG",)).hosts >= {"jobs.example.org"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"listen": ("0.0.0.0:8421",)}, "without TLS they can read tokens"),
        ({"listen": ("[::]:8421",)}, "without TLS they can read tokens"),
        ({"listen": ("8421",)}, "--listen: '8421' is not HOST:PORT"),
        ({"listen": ("127.0.0.1:99999",)}, "is not HOST:PORT"),
        ({"listen": ("127.0.0.1:1",), "no_tcp": True}, "--listen and --no-tcp at once"),
        ({"tls_cert": "x.pem"}, "--tls-key is missing"),
        ({"tls_cert": "nosuch.pem", "tls_key": "nosuch.pem"}, "--tls-cert .*: No such file"),
        ({"rate": "fast"}, "--rate: 'fast' is not a rate"),
        ({"max_body": "x"}, "--max-body"),
        ({"max_rows": 0}, "--max-rows"),
        ({"host": ("a/b",)}, "--host: 'a/b' is not the name of a host"),
    ],
)
def test_what_is_refused(tmp_path: Path, given: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        options(tmp_path, **given)


def test_insecure_lets_other_machines_in(tmp_path: Path) -> None:
    assert options(tmp_path, listen=("0.0.0.0:8421",), insecure=True).addresses == (Address("0.0.0.0", 8421),)


def test_a_key_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o644)
    files = {"tls_cert": str(tmp_path / "cert.pem"), "tls_key": str(tmp_path / "key.pem")}
    with pytest.raises(UsageError, match="every user can read the key"):
        options(tmp_path, **files)
    (tmp_path / "key.pem").chmod(0o600)
    assert options(tmp_path, listen=("0.0.0.0:8421",), **files).scheme == "https"


def test_a_socket_in_a_folder_that_does_not_exist_is_told_where_to_go(tmp_path: Path) -> None:
    given = options(tmp_path, no_tcp=True, socket=str(tmp_path / "missing" / "s"))
    with pytest.raises(HomeError, match=r"No such file or directory .*missing") as refused, listening_at(given, {}):
        pass
    assert refused.value.hint == "give a path in a folder that exists and belongs to you: --socket PATH"


def test_a_mistake_in_an_option_of_a_token_names_the_help_of_that_command_alone(home: Home, tmp_path: Path) -> None:
    _, said = said_by(home, tmp_path, "serve", "token", "add", "x", "--scope", "read", "--rate", "5")
    assert "jobctl serve token add --help" in said
    assert "jobctl serve --help" not in said


def test_a_project_file_opens_no_door(tmp_path: Path) -> None:
    (tmp_path / "jobctl.toml").write_text('[serve]\nlisten = ["0.0.0.0:1"]\ninsecure = true\nhost = ["evil.example"]\n')
    settings = load_settings({"HOME": str(tmp_path)}, str(tmp_path))
    found = serve_options(Home(tmp_path / "state"), {}, settings)
    assert found.addresses == (Address("127.0.0.1", 8421),)
    assert "evil.example" not in found.hosts


def test_a_long_path_moves_the_socket_to_the_runtime_directory(tmp_path: Path) -> None:
    home = Home(tmp_path / ("x" * 120))
    short = socket_path(home, {"XDG_RUNTIME_DIR": "/run/user/1"})
    assert short.startswith("/run/user/1/jobctl-") and len(short) < 100
    assert short != socket_path(Home(tmp_path / ("y" * 120)), {"XDG_RUNTIME_DIR": "/run/user/1"})
    assert os.path.dirname(socket_path(Home(tmp_path / "s"), {})) == str(tmp_path / "s")
