"""The notification channels: a table has the differences between them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import jobctl
from jobctl.domain.notify import DeliveryState, NotifyOptions, Reply
from jobctl.errors import UsageError
from jobctl.notify import channels
from jobctl.notify.channel import Channel
from jobctl.notify.channels import CHANNELS, channel_of, deliver, judge, shown_target
from jobctl.services.notify import make_targets, notify_block
from jobctl.store.outbox import NewTarget
from jobctl.store.views import outbox as outbox_views
from tests.engine.bench import Bench
from tests.wait import wait_until

PACKAGE = Path(jobctl.__file__).parent


@pytest.fixture
def pager(monkeypatch):
    """A third channel; returns the list of its deliveries."""
    told = []

    def send(sending, _timestamp, _home):
        told.append(sending.target)
        return Reply(status=7)

    channel = CHANNELS["command"]._replace(
        name="pager",
        targets=lambda options, _: [NewTarget("pager", url) for url in options.urls if url.startswith("pager:")],
        shown=lambda target: target.partition("?")[0],
        status_words="page {}".format,
        meaning=lambda _: DeliveryState.DELIVERED,
        deliver=send,
    )
    monkeypatch.setitem(CHANNELS, "pager", channel)
    return told


def test_a_new_channel_is_one_row(pager, monkeypatch):
    # The channel of --notify reads the same option here.
    monkeypatch.setitem(CHANNELS, "webhook", CHANNELS["webhook"]._replace(targets=lambda *_: []))
    assert make_targets(NotifyOptions(("pager:42?secret",)), {}) == [NewTarget("pager", "pager:42?secret")]
    assert shown_target("pager", "pager:42?secret") == "pager:42"
    verdict = judge("pager", Reply(status=7), 1, 0, lambda: 0.5)
    assert (verdict.state, verdict.result) == (DeliveryState.DELIVERED, "page 7")


def test_a_channel_without_a_field_does_not_load():
    whole = CHANNELS["command"]._asdict()
    for member in Channel._fields:
        with pytest.raises(TypeError, match=member):
            Channel(**{name: value for name, value in whole.items() if name != member})


def test_a_channel_of_another_version_is_refused_by_name():
    with pytest.raises(UsageError, match="'pager', and this version of jobctl knows webhook, command"):
        channel_of("pager")


def stored_target(bench, kind, target):
    """A job with a target of a channel, as a newer version or a person has left it in the database."""
    job = bench.submit(rows=1)
    execute = bench.database.execute
    execute("PRAGMA ignore_check_constraints = ON")
    execute("INSERT INTO targets (job, kind, target, allow_http) VALUES (?, ?, ?, 1)", (job, kind, target))
    execute("PRAGMA ignore_check_constraints = OFF")
    return job


@pytest.mark.parametrize("kind", ["pager", "", "Webhook", b"\xff"])
def test_a_target_of_an_unknown_channel_is_given_up_and_runs_as_nothing_else(tmp_path, kind):
    bench = Bench(tmp_path)
    job = stored_target(bench, kind, f"touch {tmp_path}/ran")
    bench.work_off()

    def is_settled():
        bench.tick()
        return outbox_views.deliveries(bench.database, job, DeliveryState.DEAD)

    wait_until(is_settled, 30, "the delivery to be given up")
    (view,) = outbox_views.deliveries(bench.database, job)
    assert "the notification channel is" in view.result
    assert "this version of jobctl knows webhook, command" in view.result
    assert view.attempts == 1
    assert not (tmp_path / "ran").exists()
    (block,) = notify_block(bench.database, job)
    assert block["state"] == "dead"
    assert block["target"] == "?"  # which part of it is a secret nobody knows


def test_the_database_takes_the_channels_of_the_table():
    schema = (PACKAGE / "store" / "schema.sql").read_text()
    (names,) = re.findall(r"target_kind_known CHECK \(kind IN \((.*?)\)\)", schema)
    assert names == ", ".join(f"'{name}'" for name in CHANNELS)


def test_nothing_compares_with_the_name_of_a_channel():
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.parent == PACKAGE / "notify":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            source = ast.unparse(node) if isinstance(node, ast.Compare) else ""
            if "'webhook'" in source or "Kind.WEBHOOK" in source or "Kind.COMMAND" in source:
                found.append(f"{path}:{node.lineno}: {source}")
    assert found == []


def test_an_engine_that_delivers_nothing_imports_neither_http_nor_tls():
    text = "".join(Path(each.__file__).read_text() for each in (channels, channels.webhook, channels.command))
    top = [line for line in text.splitlines() if line.startswith(("import ", "from "))]
    assert not [line for line in top if "http" in line or "domain.webhook" in line or "process" in line]


def test_deliver_never_raises(pager, monkeypatch):
    def fail(*_):
        raise ValueError("odd")

    monkeypatch.setitem(CHANNELS, "pager", CHANNELS["pager"]._replace(deliver=fail))

    class Sending:
        kind = "pager"

    assert deliver(Sending(), 0, "/home").error == "ValueError: odd"
