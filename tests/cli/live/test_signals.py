"""Signals that a view listens to, and those that are none of its business."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator

import pytest

from jobctl.cli.live.signals import Signals


@pytest.fixture
def hangup_as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangup_as_before")
def test_a_signal_is_listed_and_its_handler_comes_back() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        assert select.select([signals], [], [], 20)[0]
        assert signals.take() == [signal.SIGHUP]
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


@pytest.mark.usefixtures("hangup_as_before")
def test_a_signal_that_nohup_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signals.take() == []
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
