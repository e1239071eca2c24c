"""Tests for the actor that the journal names."""

from __future__ import annotations

import contextvars
import os
import threading

from jobctl.process.this_process import acting_as, actor


def test_the_actor_is_the_user_and_the_process() -> None:
    assert actor().endswith(f"(pid {os.getpid()})")


def test_inside_acting_as_the_actor_is_that_name_and_afterwards_the_user_again() -> None:
    before = actor()
    with acting_as("token ci"):
        with acting_as("token other"):
            assert actor() == "token other"
        assert actor() == "token ci"
    assert actor() == before


def test_another_thread_keeps_its_own_actor_and_one_with_a_copy_of_the_context_has_the_name() -> None:
    seen: list[str] = []
    before = actor()
    with acting_as("token ci"):
        context = contextvars.copy_context()
        for call in (lambda: seen.append(actor()), lambda: context.run(lambda: seen.append(actor()))):
            thread = threading.Thread(target=call)
            thread.start()
            thread.join()
    assert seen == [before, "token ci"]
