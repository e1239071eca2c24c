"""Deliveries to a real server on loopback and to real commands, under a clock that the test moves."""

from __future__ import annotations

import base64
import json
import os
import shlex
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from jobctl.config import Home
from jobctl.domain.webhook import parse_url
from jobctl.engine.notifier import MAX_UNDER_WAY, Notifier
from jobctl.notify import command as command_channel
from jobctl.notify import webhook
from jobctl.notify.http import DeliveryError, post
from jobctl.process.hook import run_hook
from jobctl.store import journal, outbox
from jobctl.store.outbox import NewTarget
from jobctl.store.views import outbox as outbox_views
from jobctl.store.views.outbox import DeliveryAttemptView, DeliveryView
from tests.engine.receiver import Receiver
from tests.factories import SECOND, enqueue_end, make_store
from tests.wait import wait_until

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
PATIENCE_S = 30.0


class Desk:
    """A store with a notifier, as the engine's loop uses it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = Home(root / "home")
        self.maker = make_store(self.home)
        self.database = self.maker.database
        self.rung = threading.Semaphore(0)
        self.now = time.time_ns() // 1000
        self.notifier = Notifier(self.database, self.home, self.rung.release)

    def ended_job(self, *targets: NewTarget, **values: object) -> int:
        """A job whose round has just ended."""
        row = {"state": "partial", "finished_at": self.now, "cwd": str(self.root)} | values
        job = self.maker.job("ssf", **(row | {"results": json.dumps({"dir": "/results/1"})}))
        with self.database.transaction():
            outbox.add_targets(self.database, job, targets)
            enqueue_end(self.database, job, self.now)
        return job

    def step(self) -> None:
        """Do the work of the loop when the notifier is due."""
        with self.database.transaction():
            self.notifier.write(self.now)
        self.notifier.send()

    def deliver(self) -> None:
        """Begin what is due and settle one reply."""
        self.step()
        assert self.rung.acquire(timeout=PATIENCE_S), "no reply"
        self.step()

    def deliveries(self, job: int) -> list[DeliveryView]:
        return outbox_views.deliveries(self.database, job)

    def attempts(self, job: int) -> list[DeliveryAttemptView]:
        return [one for view in self.deliveries(job) for one in outbox_views.delivery_attempts(self.database, view.id)]

    def outcome(self, target: NewTarget) -> tuple[DeliveryView, DeliveryAttemptView]:
        """Deliver the end of a job to a target once."""
        job = self.ended_job(target)
        self.deliver()
        return self.deliveries(job)[0], self.attempts(job)[0]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.database.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def hook(url: str, **values: object) -> NewTarget:
    return NewTarget("webhook", url, **values)  # type: ignore[arg-type]


def command(text: str) -> NewTarget:
    return NewTarget("command", text)


# ---- webhooks ----


def test_a_delivery_is_signed_as_an_independent_verifier_expects(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    view, one = desk.outcome(hook(receiver.url("/204"), secret_env="HOOK_SECRET"))
    (got,) = receiver.requests
    event = Webhook(SECRET).verify(got.body, got.headers)
    assert event["type"] == "job.partial"
    assert got.headers["webhook-id"] == view.id
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert (view.state, view.result, one.status) == ("delivered", "HTTP 204", 204)
    assert one.duration_us is not None and one.duration_us > 0
    stored = desk.database.scalar("SELECT body FROM deliveries WHERE id = ?", (view.id,))
    assert got.body == stored, "the bytes in the outbox are the bytes that were sent"


def test_the_whole_schedule_with_one_id_and_a_fresh_signature_each_time(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    job = desk.ended_job(hook(receiver.url("/500"), secret_env="HOOK_SECRET"))
    waits = []
    while (due_at := desk.notifier.due_at()) is not None:
        waits.append((due_at - desk.now) / 1e6)
        desk.now = due_at - 1
        assert not desk.notifier.is_due(desk.now)
        desk.now = due_at
        desk.deliver()
    assert len(waits) == 7
    for wait, nominal in zip(waits, (0, 5, 300, 1_800, 7_200, 18_000, 36_000), strict=True):
        assert 0.9 * nominal <= wait <= 1.1 * nominal
    (view,) = desk.deliveries(job)
    assert (view.state, view.attempts) == ("dead", 7)
    assert view.result == "HTTP 500; given up after 7 attempts"
    assert {got.headers["webhook-id"] for got in receiver.requests} == {view.id}
    assert len({got.headers["webhook-timestamp"] for got in receiver.requests}) == 7
    assert len({got.headers["webhook-signature"] for got in receiver.requests}) == 7
    assert [entry.event for entry in journal.entries(desk.database, job)] == ["notify_dead"]


@pytest.mark.parametrize(
    ("path", "state", "result"),
    [
        ("/200", "delivered", "HTTP 200"),
        ("/cut", "delivered", "HTTP 200 (the answer was cut short)"),
        ("/500", "pending", "HTTP 500"),
        ("/redirect", "pending", "HTTP 302"),
        ("/429", "pending", "HTTP 429"),
        ("/400", "dead", "HTTP 400"),
        ("/410", "disabled", "HTTP 410"),
        ("/drop", "pending", "the connection was closed before an answer"),
        ("/garbage", "pending", "the answer is not HTTP (BadStatusLine)"),
    ],
)
def test_each_answer_leads_to_its_state(desk: Desk, receiver: Receiver, path: str, state: str, result: str) -> None:
    view, _ = desk.outcome(hook(receiver.url(path)))
    assert (view.state, view.result) == (state, result)
    assert (view.next_at is not None) == (state == "pending")
    assert [got.path for got in receiver.requests] == [path], "a redirect is not followed"


def test_a_receiver_that_asks_for_time_gets_it(desk: Desk, receiver: Receiver) -> None:
    view, _ = desk.outcome(hook(receiver.url("/busy")))
    assert view.next_at == desk.now + 120 * SECOND


def test_the_answer_of_a_stranger_is_kept_short_and_harmless(desk: Desk, receiver: Receiver) -> None:
    _, one = desk.outcome(hook(receiver.url("/rude")))
    assert one.response.startswith("]0;owned no no")
    assert len(one.response.encode()) <= 500


@pytest.mark.parametrize("path", ["/hang", "/trickle"])
def test_one_limit_for_the_whole_exchange(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.3)
    began = time.monotonic()
    view, one = desk.outcome(hook(receiver.url(path)))
    assert (view.state, view.result) == ("pending", "no answer within 0.3 s")
    assert one.duration_us is not None and one.duration_us >= 290_000
    assert time.monotonic() - began < PATIENCE_S / 2


def test_a_body_without_end_does_not_spoil_a_good_answer(receiver: Receiver) -> None:
    address = parse_url(receiver.url("/dribble"), allow_http=False)
    answer = post(address, {}, b"{}", 0.5)
    assert answer.status == 200
    assert answer.cut_short


def test_no_process_listens(desk: Desk) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    view, one = desk.outcome(hook(f"http://127.0.0.1:{port}/"))
    assert (view.state, one.status) == ("pending", None)
    assert view.result == f"no connection to 127.0.0.1:{port}: Connection refused"


def test_a_name_that_does_not_resolve(desk: Desk) -> None:
    view, _ = desk.outcome(hook("https://no-such-host.invalid/"))
    assert view.state == "pending"
    assert view.result.startswith("cannot resolve no-such-host.invalid")


def test_a_name_that_cannot_be_one(desk: Desk) -> None:
    view, _ = desk.outcome(hook("https://no..such.example/"))
    assert (view.state, view.result) == ("pending", "cannot resolve no..such.example: that is not a host name")


def test_no_tls_where_tls_is_expected(desk: Desk, receiver: Receiver) -> None:
    view, _ = desk.outcome(hook(f"https://127.0.0.1:{receiver.port}/200"))
    assert view.state == "pending"
    assert view.result.startswith(f"no TLS with 127.0.0.1:{receiver.port}")
    assert receiver.requests == []


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate of 127.0.0.1 that no system trusts, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    path = tmp_path / "certificate.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    extra = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", str(tmp_path / "public.pem")]
    subprocess.run(["openssl", *words.split(), *extra], check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "public.pem").read_text())
    return path


def test_a_certificate_that_the_system_does_not_trust(desk: Desk, certificate: Path) -> None:
    receiver = Receiver(certificate)
    view, _ = desk.outcome(hook(receiver.url("/200")))
    receiver.close()
    assert view.state == "pending"
    assert view.result == f"the certificate of 127.0.0.1:{receiver.port} is not accepted: self-signed certificate"
    assert receiver.requests == []


def test_https_with_a_certificate_that_the_system_trusts(
    desk: Desk, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name("public.pem")))
    receiver = Receiver(certificate)
    view, _ = desk.outcome(hook(receiver.url("/200")))
    receiver.close()
    assert (view.state, view.result) == ("delivered", "HTTP 200")
    assert len(receiver.requests) == 1


def test_plain_http_stays_on_this_machine_whatever_a_name_resolves_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = parse_url(receiver.url("/200"), allow_http=False)
    monkeypatch.setattr("jobctl.notify.http.is_loopback", lambda _: False)
    with pytest.raises(DeliveryError, match="not this machine"):
        post(address, {}, b"{}", 5.0, loopback_only=True)
    assert receiver.requests == []


# ---- secrets ----


def test_a_missing_secret_is_named_and_nothing_is_sent(desk: Desk, receiver: Receiver) -> None:
    view, _ = desk.outcome(hook(receiver.url("/200"), secret_env="NOBODY_KNOWS_THIS"))
    assert (view.state, receiver.requests) == ("dead", [])
    assert "NOBODY_KNOWS_THIS" in view.result


def test_a_secret_from_a_file_that_only_we_can_read(desk: Desk, receiver: Receiver, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    view, _ = desk.outcome(hook(receiver.url("/200"), secret_file=str(path)))
    assert view.state == "delivered"
    assert Webhook(SECRET).verify(receiver.requests[0].body, receiver.requests[0].headers)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_none(desk: Desk, receiver: Receiver, tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET)
    path.chmod(mode)
    view, _ = desk.outcome(hook(receiver.url("/200"), secret_file=str(path)))
    assert (view.state, receiver.requests) == ("dead", [])
    assert f"can be read by others (mode {mode:04o}" in view.result


def test_a_secret_from_the_env_file_of_the_job(desk: Desk, receiver: Receiver, tmp_path: Path) -> None:
    env_file = tmp_path / "env"
    env_file.write_text(f"HOOK_SECRET={SECRET}\n")
    job = desk.ended_job(hook(receiver.url("/200"), secret_env="HOOK_SECRET"), env_file=str(env_file))
    desk.deliver()
    assert desk.deliveries(job)[0].state == "delivered"
    assert Webhook(SECRET).verify(receiver.requests[0].body, receiver.requests[0].headers)


def test_no_secret_is_ever_stored(desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    desk.outcome(hook(receiver.url("/200"), secret_env="HOOK_SECRET"))
    dump = "\n".join(map(str, desk.database.execute("SELECT * FROM targets").fetchall()))
    dump += "\n".join(map(str, desk.database.execute("SELECT * FROM delivery_attempts").fetchall()))
    dump += "\n".join(map(str, desk.database.execute("SELECT * FROM deliveries").fetchall()))
    assert "HOOK_SECRET" in dump
    assert SECRET.removeprefix("whsec_") not in dump


# ---- commands ----


def test_a_command_tells_also_when_the_env_file_of_the_job_is_gone(desk: Desk, tmp_path: Path) -> None:
    job = desk.ended_job(command('echo "$JOBCTL_JOB" > told'), env_file=str(tmp_path / "gone"))
    desk.deliver()
    assert desk.deliveries(job)[0].state == "delivered"
    assert (tmp_path / "told").read_text() == f"{job}\n"


def test_a_command_gets_the_event_the_facts_and_the_place_of_the_job(desk: Desk, tmp_path: Path) -> None:
    target = command('cat > event.json; env | grep ^JOBCTL_ | sort > env.txt; echo "$GREETING"; pwd')
    job = desk.ended_job(target, name="nightly", key="k1", env={"PATH": "/usr/bin:/bin", "GREETING": "hello"})
    desk.deliver()
    (view,) = desk.deliveries(job)
    assert (view.state, view.result) == ("delivered", "exit code 0")
    assert json.loads((tmp_path / "event.json").read_text())["data"]["id"] == job
    env = dict(line.split("=", 1) for line in (tmp_path / "env.txt").read_text().splitlines())
    assert env == {
        "JOBCTL_JOB": str(job),
        "JOBCTL_UID": env["JOBCTL_UID"],
        "JOBCTL_NAME": "nightly",
        "JOBCTL_KEY": "k1",
        "JOBCTL_STATE": "partial",
        "JOBCTL_REASON": "2 succeeded, 1 failed",
        "JOBCTL_ROUND": "1",
        "JOBCTL_RESULTS": "/results/1",
        "JOBCTL_EVENT": "job.partial",
        "JOBCTL_DELIVERY": view.id,
        "JOBCTL_HOME": str(desk.home.root),
        "JOBCTL_TOTAL": "3",
        "JOBCTL_SUCCEEDED": "2",
        "JOBCTL_FAILED": "1",
        "JOBCTL_UNPROCESSED": "0",
    }
    assert desk.attempts(job)[0].response == f"hello {tmp_path}"


@pytest.mark.parametrize(
    ("text", "state", "result"),
    [
        ("exit 0", "delivered", "exit code 0"),
        ("echo no >&2; exit 3", "pending", "exit code 3"),
        ("exit 65", "dead", "exit code 65"),
        ("no-such-command-anywhere", "dead", "exit code 127"),
        ("kill -9 $$", "pending", "ended by SIGKILL"),
        ("exec <&-; exit 0", "delivered", "exit code 0"),
    ],
)
def test_each_ending_of_a_command_leads_to_its_state(desk: Desk, text: str, state: str, result: str) -> None:
    view, _ = desk.outcome(command(text))
    assert (view.state, view.result) == (state, result)


def test_the_directory_of_the_job_is_gone(desk: Desk) -> None:
    job = desk.ended_job(command("true"), cwd="/no/such/directory")
    desk.deliver()
    (view,) = desk.deliveries(job)
    assert view.state == "pending"
    assert "cannot be started" in view.result


def test_a_command_that_does_not_end_is_ended_with_its_children(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_channel, "TIMEOUT_S", 0.5)
    marker = tmp_path / "child"
    view, one = desk.outcome(
        command(f"sh -c 'echo $$ > {shlex.quote(str(marker))}; exec sleep 300' & echo waiting; wait")
    )
    assert (view.state, view.result, one.response) == ("pending", "ended after 0.5 s", "waiting")
    child = int(marker.read_text())
    wait_until(lambda: not is_alive(child), what="the end of its child")


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_command_that_ignores_its_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobctl.process.hook.GRACE_S", 0.2)
    result = run_hook("trap '' TERM; echo up; while :; do sleep 1; done", b"", {"PATH": os.environ["PATH"]}, "/", 0.5)
    assert (result.timed_out, result.exit_code, result.tail) == (True, -9, b"up\n")


def test_processes_in_the_background_hold_nothing_up(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    began = time.monotonic()
    result = run_hook("sleep 300 & echo $! > pid; echo done", b"x", dict(os.environ), str(tmp_path), 60.0)
    child = int(pid_file.read_text())
    try:
        assert time.monotonic() - began < PATIENCE_S
        assert (result.exit_code, result.tail, result.timed_out) == (0, b"done\n", False)
        assert is_alive(child)
    finally:
        os.kill(child, 9)


def test_a_talkative_command_costs_no_memory_and_does_not_block() -> None:
    event = b"e" * 20_000
    result = run_hook("head -c 3000000 /dev/zero | tr '\\0' y; cat | wc -c", event, dict(os.environ), "/", 60.0)
    assert result.exit_code == 0
    assert len(result.tail) == 4_096
    assert result.tail.split(b"y")[-1].strip() == b"20000"


# ---- in a thread of its own ----


def test_receivers_that_hang_hold_up_neither_the_loop_nor_more_than_their_share(desk: Desk, receiver: Receiver) -> None:
    for _ in range(MAX_UNDER_WAY + 2):
        desk.ended_job(hook(receiver.url("/hang")))
    began = time.monotonic()
    desk.step()
    assert time.monotonic() - began < PATIENCE_S / 3
    for _ in range(MAX_UNDER_WAY):
        assert receiver.arrived.acquire(timeout=PATIENCE_S)
    assert desk.notifier.due_at() is None, "no hand is free, so there is nothing to wake up for"
    assert desk.notifier.is_busy(desk.now)
    desk.step()
    assert desk.database.scalar("SELECT count(*) FROM delivery_attempts") == MAX_UNDER_WAY
    receiver.gone.set()
    for _ in range(MAX_UNDER_WAY):
        assert desk.rung.acquire(timeout=PATIENCE_S)
    assert desk.notifier.due_at() == 0
    desk.step()
    for _ in range(2):
        assert receiver.arrived.acquire(timeout=PATIENCE_S)
        assert desk.rung.acquire(timeout=PATIENCE_S)
    desk.step()
    assert not desk.notifier.is_busy(desk.now)
    assert len(receiver.requests) == MAX_UNDER_WAY + 2


def test_nothing_is_sent_before_the_commit_nor_after_a_rollback(desk: Desk, receiver: Receiver) -> None:
    job = desk.ended_job(hook(receiver.url("/200")))
    with pytest.raises(RuntimeError), desk.database.transaction():
        desk.notifier.write(desk.now)
        raise RuntimeError
    assert desk.attempts(job) == []
    desk.deliver()
    assert desk.deliveries(job)[0].state == "delivered"
    assert len(receiver.requests) == 1


def test_a_reply_survives_a_commit_that_fails(desk: Desk, receiver: Receiver) -> None:
    job = desk.ended_job(hook(receiver.url("/200")))
    desk.step()
    assert desk.rung.acquire(timeout=PATIENCE_S)
    with pytest.raises(RuntimeError), desk.database.transaction():
        desk.notifier.write(desk.now)
        raise RuntimeError
    assert desk.notifier.is_due(desk.now)
    desk.step()
    assert desk.deliveries(job)[0].state == "delivered"
    assert not desk.notifier.is_busy(desk.now)
    assert len(receiver.requests) == 1


def test_a_new_engine_makes_the_try_of_a_dead_one_again(desk: Desk, receiver: Receiver) -> None:
    job = desk.ended_job(hook(receiver.url("/hang")))
    desk.step()
    assert receiver.arrived.acquire(timeout=PATIENCE_S)
    successor = Notifier(desk.database, desk.home, desk.rung.release)
    with desk.database.transaction():
        successor.recover(desk.now + SECOND)
    assert successor.is_due(desk.now + SECOND)
    receiver.gone.set()
    assert desk.rung.acquire(timeout=PATIENCE_S)
    desk.step()  # the old one comes too late
    (view,) = desk.deliveries(job)
    assert (view.state, view.attempts, view.next_at) == ("pending", 1, desk.now + SECOND)
    desk.notifier = successor
    desk.now += SECOND
    desk.deliver()
    assert [got.headers["webhook-id"] for got in receiver.requests] == [view.id] * 2
    assert len(desk.attempts(job)) == 2


def test_while_stopping_nothing_begins_but_what_is_under_way_is_settled(desk: Desk, receiver: Receiver) -> None:
    first = desk.ended_job(hook(receiver.url("/200")))
    desk.step()
    second = desk.ended_job(hook(receiver.url("/200")))
    desk.notifier.stop()
    assert desk.notifier.is_sending()
    assert desk.rung.acquire(timeout=PATIENCE_S)
    assert desk.notifier.is_due(desk.now)
    desk.step()
    assert (desk.deliveries(first)[0].state, desk.deliveries(second)[0].state) == ("delivered", "pending")
    assert not desk.notifier.is_sending()
    assert desk.notifier.due_at() is None, "or the loop would spin until it may end"
    assert len(receiver.requests) == 1


def test_busy_as_long_as_something_is_due_for_a_job(desk: Desk, receiver: Receiver) -> None:
    job = desk.ended_job(hook(receiver.url("/500")))
    assert desk.notifier.is_busy(desk.now, job)
    assert not desk.notifier.is_busy(desk.now, job + 1)
    desk.deliver()
    assert not desk.notifier.is_busy(desk.now), "the next attempt is for another day"
    assert desk.notifier.is_busy(desk.now + 6 * SECOND)
