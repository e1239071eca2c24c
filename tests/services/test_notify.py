"""Options of notification, the list of deliveries, sending again, and what the status document says."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from jobctl.config import Home
from jobctl.domain.notify import DeliveryState, NotifyOptions, Reply, Verdict
from jobctl.errors import JobctlError, NotFound, UsageError
from jobctl.process.wakeup import WakeUp
from jobctl.services.notify import (
    dead_notice,
    list_deliveries,
    make_targets,
    notify_block,
    resend,
)
from jobctl.store import journal, outbox
from jobctl.store.outbox import NewTarget
from tests.factories import SECOND, SUBMITTED_AT, JobMaker, enqueue_end, make_store

NOW = SUBMITTED_AT + 60 * SECOND
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
URL = "https://example.org/hook?token=geheim"
SHOWN = "https://example.org/hook?…"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def maker(home: Home) -> JobMaker:
    return make_store(home)


def ended_job(maker: JobMaker, *targets: NewTarget) -> int:
    job = maker.job("ssf", state="partial", finished_at=NOW)
    with maker.database.transaction():
        outbox.add_targets(maker.database, job, targets or [NewTarget("webhook", URL)])
        enqueue_end(maker.database, job, NOW)
    return job


def settle(maker: JobMaker, state: str, result: str, next_at: int | None = None) -> None:
    """Make the attempts that are due and give them all this verdict."""
    with maker.database.transaction():
        for sending in outbox.begin_due(maker.database, NOW + SECOND, 9):
            verdict = Verdict(DeliveryState(state), next_at, result)
            outbox.settle(maker.database, sending, Reply(status=400, duration_us=1_500), verdict, NOW + SECOND)


# ---- options ----


def test_targets_of_a_submission() -> None:
    options = NotifyOptions((URL, URL, "http://127.0.0.1:9/x"), ("mail me",), secret_env="HOOK")
    assert make_targets(options, {"HOOK": SECRET}) == [
        NewTarget("webhook", URL, "HOOK"),
        NewTarget("webhook", "http://127.0.0.1:9/x", "HOOK"),
        NewTarget("command", "mail me"),
    ]
    assert make_targets(NotifyOptions(), {}) == []


def test_a_secret_that_only_the_daemon_has_is_accepted_by_name() -> None:
    assert make_targets(NotifyOptions((URL,), secret_env="HOOK"), {})[0].secret_env == "HOOK"


def test_a_secret_file_is_kept_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    (target,) = make_targets(NotifyOptions((URL,), secret_file="secret"), {})
    assert target.secret_file == str(tmp_path / "secret")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (NotifyOptions(("http://example.org/",)), "plain http"),
        (NotifyOptions(("nonsense",)), "not a web address"),
        (NotifyOptions((), ("  ",)), "--on-done needs a command"),
        (NotifyOptions((), ("a\0b",)), "--on-done needs a command"),
        (NotifyOptions(tuple(f"https://example.org/{n}" for n in range(21))), "20 is the most"),
        (NotifyOptions((), ("true",), secret_env="HOOK"), "without --notify"),
        (NotifyOptions((URL,), secret_env="HOOK", secret_file="x"), "not both"),
        (NotifyOptions((URL,), secret_env=SECRET), "the name of a variable, not a secret"),
        (NotifyOptions((URL,), secret_env="BAD"), "the webhook secret BAD is not a webhook secret"),
        (NotifyOptions((URL,), secret_file="/no/such/file"), "cannot be read: No such file"),
        (NotifyOptions((URL,), secret_file="/"), "not a file"),
    ],
)
def test_options_that_cannot_work_are_refused(options: NotifyOptions, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        make_targets(options, {"BAD": "geheimgeheimgeheimgeheimgeheim"})
    assert "geheimgeheim" not in caught.value.message
    assert SECRET not in caught.value.message


def test_a_secret_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET)
    path.chmod(0o644)
    with pytest.raises(UsageError, match="can be read by others") as caught:
        make_targets(NotifyOptions((URL,), secret_file=str(path)), {})
    assert caught.value.hint == f"chmod 600 {path}"


# ---- lists ----


def test_the_list_has_every_delivery_with_its_tries(home: Home, maker: JobMaker) -> None:
    job, other = ended_job(maker), ended_job(maker)
    settle(maker, "dead", "HTTP 400")
    document = list_deliveries(home)
    assert document["schema"] == "jobctl.deliveries/1"
    assert [one["job"] for one in document["deliveries"]] == [job, other]
    (one,) = list_deliveries(home, other)["deliveries"]
    assert one == {
        "id": one["id"],
        "job": other,
        "round": 1,
        "event": "job.partial",
        "kind": "webhook",
        "target": SHOWN,
        "state": "dead",
        "attempts": 1,
        "next_attempt_at": None,
        "created_at": "2026-11-23T18:29:31.004Z",
        "settled_at": "2026-11-23T18:29:32.004Z",
        "last_result": "HTTP 400",
        "history": [
            {
                "attempt": 1,
                "started_at": "2026-11-23T18:29:32.004Z",
                "duration_s": 0.0015,
                "status": 400,
                "error": None,
                "response": None,
            }
        ],
    }


def test_the_list_of_a_job_that_does_not_exist(home: Home, maker: JobMaker) -> None:
    with pytest.raises(NotFound, match="no job 7"):
        list_deliveries(home, 7)


# ---- again ----


def test_sending_again_wakes_the_engine_and_keeps_the_id(home: Home, maker: JobMaker) -> None:
    job = ended_job(maker)
    settle(maker, "dead", "HTTP 400")
    (before,) = list_deliveries(home, job)["deliveries"]
    wake = WakeUp(home.wake)
    resent = resend(home, before["id"], now=NOW + 9 * SECOND)
    assert (resent.delivery, resent.job, resent.target, resent.was, resent.daemon) == (
        before["id"],
        job,
        SHOWN,
        "dead",
        None,
    )
    assert select_readable(wake)
    wake.close()
    (after,) = list_deliveries(home, job)["deliveries"]
    assert (after["id"], after["state"], after["next_attempt_at"]) == (
        before["id"],
        "pending",
        "2026-11-23T18:29:40.004Z",
    )
    entry = journal.entries(maker.database, job)[-1]
    assert (entry.event, entry.reason, entry.data) == ("notify_resent", SHOWN, {"delivery": before["id"]})


def select_readable(wake: WakeUp) -> bool:
    import select

    return bool(select.select([wake.fileno()], [], [], 0)[0])


def test_the_beginning_of_an_id_is_enough_if_it_is_the_only_one(home: Home, maker: JobMaker) -> None:
    job = ended_job(maker, NewTarget("webhook", URL), NewTarget("command", "true"))
    settle(maker, "delivered", "HTTP 200")
    first, second = (one["id"] for one in list_deliveries(home, job)["deliveries"])
    assert resend(home, first.removeprefix("msg_")[:12], now=NOW).delivery == first
    assert resend(home, second, now=NOW).was == "delivered"
    with pytest.raises(UsageError, match="several deliveries"):
        resend(home, "msg_", now=NOW)


@pytest.mark.parametrize("text", ["", "msg_nothing", "%", "zzz"])
def test_no_such_delivery(home: Home, maker: JobMaker, text: str) -> None:
    ended_job(maker)
    with pytest.raises(NotFound):
        resend(home, text, now=NOW)


def test_not_while_it_is_being_sent(home: Home, maker: JobMaker) -> None:
    job = ended_job(maker)
    with maker.database.transaction():
        outbox.begin_due(maker.database, NOW, 1)
    (one,) = list_deliveries(home, job)["deliveries"]
    assert (one["state"], one["history"][0]["duration_s"]) == ("pending", None)
    with pytest.raises(JobctlError, match="being sent at this moment"):
        resend(home, one["id"], now=NOW)


# ---- status ----


def test_the_notify_block_before_and_after_the_end_of_a_job(maker: JobMaker) -> None:
    job = maker.job("q")
    with maker.database.transaction():
        outbox.add_targets(maker.database, job, [NewTarget("webhook", URL)])
    (before,) = notify_block(maker.database, job)
    assert before == {
        "id": before["id"],
        "kind": "webhook",
        "target": SHOWN,
        "state": "armed",
        "attempts": 0,
        "next_attempt_at": None,
        "last_result": None,
        "delivery": None,
        "round": None,
    }
    job = ended_job(maker)
    settle(maker, "pending", "HTTP 503", NOW + 5 * SECOND)
    (after,) = notify_block(maker.database, job)
    assert (after["state"], after["attempts"], after["next_attempt_at"], after["last_result"], after["round"]) == (
        "pending",
        1,
        "2026-11-23T18:29:36.004Z",
        "HTTP 503",
        1,
    )
    assert notify_block(maker.database, maker.job("q")) == []


def test_attention_only_when_a_notification_was_given_up(maker: JobMaker) -> None:
    job = ended_job(maker)
    assert dead_notice(maker.database, job) is None
    settle(maker, "dead", "HTTP 400")
    notice = dead_notice(maker.database, job, "jobctl --home /srv")
    assert notice is not None
    code, message, action = notice
    assert code == "notify_dead"
    assert message == f"1 notification given up; the last, to {SHOWN}: HTTP 400"
    assert action.startswith("jobctl --home /srv notify resend msg_")
