"""Messages pass whole, in order, at any size, and neither end blocks the other."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import pytest

from jobctl.supervisor.protocol.channel import MessageChannel

Pair = tuple[MessageChannel, MessageChannel]


@pytest.fixture
def pair() -> Iterator[Pair]:
    one, other = socket.socketpair()
    channels = MessageChannel(one), MessageChannel(other)
    yield channels
    for channel in channels:
        channel.close()


def exchange(pair: Pair, counts: tuple[int, int]) -> tuple[list[tuple[int, object]], list[tuple[int, object]]]:
    """Serve both ends from one thread until each has the expected number of messages."""
    received: tuple[list[tuple[int, object]], list[tuple[int, object]]] = ([], [])
    while any(len(received[n]) < counts[n] for n in (0, 1)):
        for channel in pair:
            channel.flush()
        readable, _, _ = select.select(pair, [], [], 20)
        assert readable, "both ends wait for each other"
        for n in (0, 1):
            if pair[n] in readable:
                received[n].extend(pair[n].receive())
    return received


def test_messages_come_in_order(pair: Pair) -> None:
    for n in range(100):
        pair[0].post(n % 7, (n, b"x", None, "text", [1.5]))
    assert exchange(pair, (0, 100))[1] == [(n % 7, (n, b"x", None, "text", [1.5])) for n in range(100)]


def test_both_can_send_more_than_the_sockets_hold(pair: Pair) -> None:
    big = b"x" * (3 << 20)
    for channel in pair:
        for n in range(3):
            channel.post(n, big)
    assert exchange(pair, (3, 3)) == ([(n, big) for n in range(3)],) * 2


def test_the_end_is_noticed_after_the_last_message(pair: Pair) -> None:
    pair[0].post(1, "last words")
    pair[0].flush()
    pair[0].close()
    assert pair[1].receive() == [(1, "last words")]
    assert pair[1].receive() == []
    assert pair[1].closed


def test_all_messages_of_a_dead_sender_are_read(pair: Pair) -> None:
    for n in range(20):
        pair[0].post(n, b"y" * 5000)
        pair[0].flush()
    pair[0].close()
    assert [kind for kind, _ in pair[1].receive_all()] == list(range(20))


def test_a_message_cut_off_by_death_is_dropped(pair: Pair) -> None:
    pair[0].post(1, "whole")
    pair[0].flush()
    pair[0].post(2, b"z" * (8 << 20))
    assert not pair[0].flush(), "it does not fit into the socket"
    pair[0].close()
    assert pair[1].receive_all() == [(1, "whole")]


def test_sending_without_a_receiver_is_not_an_error(pair: Pair) -> None:
    pair[1].close()
    pair[0].post(1, "anybody?")
    assert pair[0].flush()
    assert not pair[0].waiting
