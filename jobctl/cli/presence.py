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
        shared.note(nobody_works(shared))


def nobody_works(shared: Session) -> str:
    """No daemon is up: what to type. A full disk comes first, for a daemon would start nothing on it."""
    from jobctl.process.space import shortage

    if short := shortage(*shared.home.output_places):
        return (
            f"the disk is nearly full: {short}; no daemon is running\n"
            f"  make room: {shared.program} prune --dry-run; then: {shared.program} daemon start"
        )
    return f"no daemon is running; start it with: {shared.program} daemon start"
