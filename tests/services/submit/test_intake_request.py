"""Options become a request without a command line, as a server and a library give them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jobctl.config import Home
from jobctl.errors import NotFound, UsageError
from jobctl.services.submit.intake_request import nothing_given, request_of
from jobctl.services.submit.submit_place import SubmitPlace
from tests.trusted import write_trusted

NOW = 1_790_000_000_000_000


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SubmitPlace:
    """A place without settings, whose notes are in ``place.tell.__self__``."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    environ = {"PATH": "/usr/bin:/bin", "XDG_CONFIG_HOME": str(tmp_path / "config")}
    return SubmitPlace(Home(tmp_path / "state"), environ, str(tmp_path), NOW, tell=[].append)


def request(place: SubmitPlace, *words: str, **given: Any) -> Any:
    return request_of({**nothing_given(), **given}, words, "rows.csv", place)


def test_options_that_are_not_given_have_the_defaults_of_the_command_line(place: SubmitPlace) -> None:
    made = request(place, "true")
    assert (made.command, made.queue, made.priority, made.input.path) == (("true",), "default", 0, "rows.csv")
    assert not made.foreground and made.owner is None
    assert request(replace(place, foreground=True), "true").foreground


def test_a_recipe_gives_the_work_and_what_is_left_open(place: SubmitPlace, tmp_path: Path) -> None:
    text = '[submit]\nattempts = 7\n[recipe.nightly]\ncommand = ["echo", "{id}"]\ntimeout = "5m"\nslots = 2\n'
    write_trusted(tmp_path / "jobctl.toml", text)
    made = request(place, recipe="nightly", slots=4)
    assert made.command == ("echo", "{id}")
    assert (made.policy.timeout_s, made.policy.slots, made.policy.attempts) == (300, 4, 7)
    with pytest.raises(NotFound, match="there is no recipe 'nightl'"):
        request(place, recipe="nightl")


def test_a_limit_that_is_taken_away_is_not_filled_in(place: SubmitPlace, tmp_path: Path) -> None:
    write_trusted(tmp_path / "jobctl.toml", '[submit]\ntimeout = "5m"\n')
    assert request(place, "true").policy.timeout_s == 300
    assert request(place, "true", timeout="none").policy.timeout_s is None


def test_settings_without_effect_are_told_once(place: SubmitPlace, tmp_path: Path) -> None:
    (tmp_path / "jobctl.toml").write_text('[submit]\non-done = ["true"]\n')
    told: list[str] = []
    made = request(replace(place, tell_ignored=lambda: told.append("ignored")), "true")
    assert told == ["ignored"] and not made.notify.is_given


def test_an_unknown_queue_is_made_only_by_agreement(place: SubmitPlace) -> None:
    asked: list[tuple[str, str | None]] = []

    def agrees(answer: bool) -> Any:
        return lambda name, near: asked.append((name, near)) or answer

    with pytest.raises(UsageError, match=r"there is no queue 'mail'\n"):
        request(place, "true", queue="mail")
    with pytest.raises(UsageError, match="there is no queue 'mail', and nothing was accepted"):
        request(replace(place, agrees_to_queue=agrees(False)), "true", queue="mail")
    assert request(replace(place, agrees_to_queue=agrees(True)), "true", queue="mail").queue == "mail"
    assert request(place, "true", queue="mail", new_queue=True).queue == "mail"
    assert asked == [("mail", None)] * 2


def test_notes_go_to_the_place(place: SubmitPlace) -> None:
    notes: list[str] = []
    request(replace(place, tell=notes.append), "echo", "|", "cat", env_all=True)
    assert any(note.startswith("--env-all") for note in notes)
    assert any("no shell is involved" in note for note in notes)


def test_times_count_from_the_moment_of_the_place(place: SubmitPlace) -> None:
    made = request(place, "true", deadline="2h", not_before="tomorrow 06:00")
    assert made.policy.deadline_s == 7200
    assert made.not_before_at is not None and 0 < made.not_before_at - NOW < 48 * 3600 * 10**6


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"slots": 0}, "--slots: 0"),
        ({"invalid": "maybe"}, "--invalid 'maybe' is not known"),
        ({"call": "json:dumps"}, "--call and a COMMAND at once"),
        ({"from_joblog": True}, "--from-joblog and a COMMAND at once"),
        ({"resources": "gpu=1"}, "--resources"),
        ({"undo_on_failure": True}, "--undo-on-failure needs a way to take a row back"),
    ],
)
def test_mistakes_name_the_option(place: SubmitPlace, given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        request(replace(place, foreground=True), "true", **given)
    assert caught.value.message.startswith(message)
