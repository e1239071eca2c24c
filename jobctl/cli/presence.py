"""Saying whether anybody works, after a command that left work."""

from __future__ import annotations

from jobctl.cli.session import Session, now_us


def note_daemon(shared: Session) -> None:
    """One line when no daemon is up."""
    from jobctl.services.daemon import daemon_view

    database = shared.open()
    try:
        state = daemon_view(database, shared.home, now_us()).state
    finally:
        database.close()
    if state == "down":
        shared.note(f"no daemon is running; start it with: {shared.program} daemon start")
