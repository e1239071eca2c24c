"""The place of a submission: the store, the process that submits, and its way to tell things to the user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobctl.config import Home


def _say_nothing(*_: object) -> None:
    pass


def _nothing_to_say(*_: object) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class SubmitPlace:
    """The facts about a submission that its options do not say."""

    home: Home
    environ: Mapping[str, str]  # of the process that submits
    cwd: str
    now: int  # microseconds UTC; times of options count from it
    foreground: bool = False  # the caller runs the job itself
    starts_daemon: bool = False  # the caller starts a daemon for it
    cluster: Mapping[str, Any] = field(default_factory=dict)  # options of a cluster that the caller's engine uses
    own: tuple[str, ...] = ()  # the arguments of a command line before the words of the command
    separated: bool = True  # whether ``--`` was between them
    tell: Callable[[str], None] = _say_nothing  # is called with notes about the submission
    #: Is called once if there are settings that have no effect.
    tell_ignored: Callable[[], None] = _say_nothing
    #: Returns a note about a word of a command that looks like an option of ours; gets the words and ``separated``.
    note_late_option: Callable[[Sequence[str], bool], str] = _nothing_to_say
    #: Whether to make an unknown queue; gets its name and the nearest queue, and returns None if it cannot ask.
    agrees_to_queue: Callable[[str, str | None], bool | None] = _say_nothing


def runs_on_cluster(place: SubmitPlace) -> bool | None:
    """Return whether the items of a submission will run on a cluster; None if no daemon is up and no setting tells.

    A daemon that is up gets the work, whatever the settings say. A caller with an engine of its own may name a cluster.
    """
    from jobctl.errors import JobctlError
    from jobctl.process.lock import holder

    if holder(str(place.home.lock)) is not None:
        from jobctl.services.daemon.view import runs_on_cluster

        return runs_on_cluster(place.home)
    from jobctl.services.daemon.options import cluster_words
    from jobctl.services.settings.settings import load_settings

    try:
        if cluster_words(place.cluster if place.foreground else {}, load_settings(place.environ, place.cwd)):
            return True
    except JobctlError:  # the start of the engine reports the mistake; a cluster is named, and that is enough here
        return True
    return False if place.foreground or place.starts_daemon else None
