"""The schedule of deliveries, what answers mean, signatures, and the body of an event."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from jobctl.domain.event import BODY_LIMIT, Cause, EndedJob, event_body
from jobctl.domain.notify import (
    SCHEDULE_S,
    DeliveryState,
    Reply,
    excerpt,
    retry_after_s,
)
from jobctl.domain.states import Counts, JobState
from jobctl.domain.webhook import headers, parse_secrets, parse_url, signature
from jobctl.domain.wording import ended_sentence
from jobctl.errors import UsageError
from jobctl.notify.channels import judge, shown_target

NOW = 1_795_458_511_000_000
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def middle() -> float:
    return 0.5


def next_wait_s(reply: Reply, attempts: int, random: float = 0.5) -> float | None:
    """Seconds until the next attempt; None if there is none."""
    verdict = judge("webhook", reply, attempts, NOW, lambda: random)
    assert (verdict.next_at is not None) == (verdict.state is DeliveryState.PENDING)
    return None if verdict.next_at is None else (verdict.next_at - NOW) / 1e6


# ---- schedule ----


def test_waits_grow_to_ten_hours_and_then_it_is_given_up() -> None:
    failed = Reply(status=500)
    waits = [next_wait_s(failed, attempts) for attempts in range(1, 7)]
    assert waits == [5, 300, 1_800, 7_200, 18_000, 36_000]
    last = judge("webhook", failed, 7, NOW, middle)
    assert last.state is DeliveryState.DEAD
    assert last.result == "HTTP 500; given up after 7 attempts"


@pytest.mark.parametrize("attempts", range(1, len(SCHEDULE_S)))
def test_jitter_stays_within_a_tenth(attempts: int) -> None:
    early, late = next_wait_s(Reply(status=500), attempts, 0.0), next_wait_s(Reply(status=500), attempts, 1.0)
    assert early == pytest.approx(0.9 * SCHEDULE_S[attempts])
    assert late == pytest.approx(1.1 * SCHEDULE_S[attempts])


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("120", 120),  # longer than the schedule's 5 s
        ("1", 5),  # a receiver cannot make it shorter
        ("999999", 86_400),  # nor hold it up for ever
        ("soon", 5),
        ("", 5),
        ("-5", 5),
        ("Mon, 23 Nov 2026 18:33:31 GMT", 300),
        ("Mon, 23 Nov 2020 18:33:31 GMT", 5),
    ],
)
def test_retry_after_only_lengthens_the_wait(header: str, wait_s: float) -> None:
    assert next_wait_s(Reply(status=503, retry_after=header), 1) == wait_s


def test_retry_after_reads_seconds_and_dates() -> None:
    at = datetime.fromtimestamp(NOW / 1e6, UTC)
    assert retry_after_s(at.strftime("%a, %d %b %Y %H:%M:%S GMT"), NOW - 90_000_000) == 90
    assert retry_after_s("17", NOW) == 17
    assert retry_after_s(None, NOW) is None
    assert retry_after_s("Tue, 99 Nov 2026", NOW) is None


# ---- answers ----


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, "delivered"),
        (204, "delivered"),
        (299, "delivered"),
        (300, "pending"),
        (302, "pending"),
        (308, "pending"),
        (400, "dead"),
        (401, "dead"),
        (404, "dead"),
        (408, "pending"),
        (410, "disabled"),
        (422, "dead"),
        (425, "pending"),
        (429, "pending"),
        (499, "dead"),
        (500, "pending"),
        (502, "pending"),
        (503, "pending"),
        (101, "pending"),
    ],
)
def test_the_meaning_of_an_http_status(status: int, state: str) -> None:
    assert judge("webhook", Reply(status=status), 1, NOW, middle).state == state


@pytest.mark.parametrize(
    ("code", "state"), [(0, "delivered"), (1, "pending"), (75, "pending"), (65, "dead"), (126, "dead"), (127, "dead")]
)
def test_the_meaning_of_an_exit_code(code: int, state: str) -> None:
    verdict = judge("command", Reply(status=code), 1, NOW, middle)
    assert verdict.state == state
    assert verdict.result == f"exit code {code}"


def test_no_answer_is_tried_again_and_a_missing_secret_is_not() -> None:
    assert judge("webhook", Reply(error="connection refused"), 1, NOW, middle).state is DeliveryState.PENDING
    verdict = judge("webhook", Reply(error="no secret", hopeless=True), 1, NOW, middle)
    assert (verdict.state, verdict.result) == (DeliveryState.DEAD, "no secret")


def test_an_excerpt_is_short_and_does_nothing_to_a_terminal() -> None:
    assert excerpt(b"\x1b]0;owned\x07 ok\r\n<b>\xe2\x80\xaeevil</b>") == "]0;owned  ok <b> evil</b>"
    assert excerpt(b"\xff\xfe") == "��"
    assert excerpt(b"") == ""


@given(st.binary(max_size=3_000))
def test_no_excerpt_is_longer_than_its_limit(data: bytes) -> None:
    text = excerpt(data)
    assert len(text.encode()) <= 500
    assert text.isprintable() or not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in text)


# ---- where it may go ----


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://example.org", (True, "example.org", 443, "/", "example.org")),
        ("HTTPS://Example.ORG:8443/a?b=c#d", (True, "example.org", 8443, "/a?b=c", "example.org:8443")),
        ("http://localhost:81/x", (False, "localhost", 81, "/x", "localhost:81")),
        ("http://127.9.9.9/", (False, "127.9.9.9", 80, "/", "127.9.9.9")),
        ("http://[::1]:9/", (False, "::1", 9, "/", "[::1]:9")),
    ],
)
def test_urls_that_may_be_used(url: str, parts: tuple[object, ...]) -> None:
    address = parse_url(url, allow_http=False)
    assert (address.secure, address.host, address.port, address.path, address.host_header) == parts


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://example.org/hook", "plain http to another machine"),
        ("http://127.0.0.1.evil.org/", "plain http to another machine"),
        ("http://localhost.evil.org/", "plain http to another machine"),
        ("ftp://example.org/", "not a web address"),
        ("example.org/hook", "not a web address"),
        ("https://", "not a web address"),
        ("https:///path", "not a web address"),
        ("", "not a web address"),
        ("https://user:geheim@example.org/", "no user name or password"),
        ("https://example.org:99999/", "not a URL"),
        ("https://[::1/", "not a URL"),
        ("https://example.org/a b", "white space"),
        ("https://example.org/\r\nX-Evil: 1", "white space"),
        ("https://exämple.org/", "non-ASCII"),
    ],
)
def test_urls_that_may_not(url: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        parse_url(url, allow_http=False)
    assert "geheim" not in caught.value.message


def test_plain_http_elsewhere_when_it_is_asked_for() -> None:
    assert parse_url("http://example.org/hook", allow_http=True).host == "example.org"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/hook", "https://example.org/hook"),
        ("https://example.org/hook?token=geheim#x", "https://example.org/hook?…"),
        ("https://me:geheim@example.org:8443/a@b", "https://example.org:8443/a@b"),
        ("https://example.org?token=geheim", "https://example.org?…"),
    ],
)
def test_secret_parts_of_a_url_are_not_shown(url: str, shown: str) -> None:
    assert shown_target("webhook", url) == shown


# ---- secrets and signatures ----


@pytest.mark.parametrize(
    ("secret", "complaint"),
    [
        ("", "is empty"),
        ("geheimgeheimgeheimgeheim", "does not begin with whsec_"),
        ("whsec_geheim!!!!", "not base64"),
        ("whsec_" + base64.b64encode(b"g" * 23).decode(), "has 23 bytes"),
        ("whsec_" + base64.b64encode(b"g" * 65).decode(), "has 65 bytes"),
    ],
)
def test_bad_secrets_are_named_and_never_shown(secret: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as caught:
        parse_secrets(secret, "the webhook secret HOOK")
    assert "HOOK" in caught.value.message
    assert caught.value.hint
    said = caught.value.message + caught.value.hint
    assert not secret or secret.removeprefix("whsec_") not in said


@given(key=st.binary(min_size=24, max_size=64), body=st.text(max_size=200), padded=st.booleans())
def test_an_independent_verifier_accepts_the_signature(key: bytes, body: str, padded: bool) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    keys = parse_secrets(secret if padded else secret.rstrip("="), "it")
    data = json.dumps({"said": body}, ensure_ascii=False).encode()
    timestamp = int(datetime.now(UTC).timestamp())
    signed = headers(keys, "msg_1", timestamp, data)
    assert Webhook(secret).verify(data, signed) == {"said": body}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(data + b" ", signed)


def test_the_signature_of_the_specification() -> None:
    # The example of github.com/standard-webhooks, "Signature scheme".
    key = parse_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "it")
    text = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert text == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_give_two_signatures_and_either_is_enough() -> None:
    other = "whsec_" + base64.b64encode(b"o" * 24).decode()
    timestamp = int(datetime.now(UTC).timestamp())
    signed = headers(parse_secrets(f"{SECRET} {other}", "it"), "msg_1", timestamp, b"{}")
    assert Webhook(SECRET).verify(b"{}", signed) == {}
    assert Webhook(other).verify(b"{}", signed) == {}


def test_without_a_secret_there_is_no_signature() -> None:
    assert headers([], "msg_1", 1, b"{}") == {"webhook-id": "msg_1", "webhook-timestamp": "1"}


# ---- the event ----


def ended(**changes: object) -> EndedJob:
    values: dict[str, object] = {
        "job": 42,
        "uid": "0193a5c2-7b1e-7cc3-9f6e-2f6f0c1d9a10",
        "name": "nightly",
        "key": "nightly-1",
        "queue": "default",
        "state": JobState.PARTIAL,
        "reason": "",
        "round": 2,
        "counts": Counts(succeeded=7, failed=3),
        "causes": [Cause("exit_22", "curl: (22) error: <n>", 3, True, "known", [1, 2, 3])],
        "retry_command": "jobctl retry 42",
        "retry_items": 3,
        "results": "/srv/results/42",
        "submitted_at": NOW - 9_000_000,
        "started_at": NOW - 8_000_000,
        "finished_at": NOW,
    }
    return EndedJob(**(values | changes))  # type: ignore[arg-type]


def test_an_event_says_what_happened_and_what_to_type() -> None:
    event = json.loads(event_body(ended(), 7))
    assert (event["type"], event["timestamp"]) == ("job.partial", "2026-11-23T18:28:31.000Z")
    assert (event["schema"], event["id"]) == ("jobctl.event/1", 7)
    data = event["data"]
    assert (data["actor"], data["message"]) == ("engine", "partial: 7 succeeded, 3 failed")
    assert (data["id"], data["name"], data["key"], data["state"], data["round"]) == (
        42,
        "nightly",
        "nightly-1",
        "partial",
        2,
    )
    assert data["state_reason"] == "7 succeeded, 3 failed"
    assert data["counts"] == {
        "total": 10,
        "queued": 0,
        "running": 0,
        "retrying": 0,
        "succeeded": 7,
        "failed": 3,
        "unprocessed": 0,
        "rejected": 0,
        "skipped": 0,
    }
    assert data["failures"]["groups"][0]["sample_items"] == [1, 2, 3]
    assert data["retry"] == {"available": True, "items": 3, "command": "jobctl retry 42"}
    assert data["results"] == {"dir": "/srv/results/42"}


@pytest.mark.parametrize(
    ("state", "reason", "counts", "sentence"),
    [
        (JobState.SUCCEEDED, "", Counts(succeeded=1), "the item succeeded"),
        (JobState.SUCCEEDED, "", Counts(succeeded=12_000), "all 12,000 items succeeded"),
        (JobState.SUCCEEDED, "", Counts(succeeded=2, skipped=5), "2 succeeded, 5 skipped"),
        (JobState.CANCELLED, "no more", Counts(succeeded=1, unprocessed=2), "no more: 1 succeeded, 2 unprocessed"),
    ],
)
def test_why_a_job_ended_in_a_sentence(state: JobState, reason: str, counts: Counts, sentence: str) -> None:
    assert ended_sentence(state, reason, counts) == sentence


@settings(deadline=None)
@given(
    name=st.text(max_size=50),
    times=st.integers(1, 20_000),
    odd=st.sampled_from(["\x00", "\ud800", "\U0001f600", '"', "a"]),
)
def test_no_event_reaches_the_limit_and_all_are_json(name: str, times: int, odd: str) -> None:
    long = name + odd * times
    cause = Cause("exit_1", long, 1, True, "known", [1])
    body = event_body(
        ended(name=long, queue=long, reason=long, causes=[cause] * 5, results=long, retry_command=long, key="k" * 128),
        number=1 << 53,
    )
    assert len(body) < BODY_LIMIT
    event = json.loads(body)
    assert event["data"]["id"] == 42
    assert len(event["data"]["failures"]["groups"]) in (0, 3)
