"""The line of a wait in the width of its screen."""

from __future__ import annotations

from collections.abc import Sequence

from jobctl.render.look import Look, cut


def fitting(variants: Sequence[Sequence[str]], look: Look) -> str:
    """The first variant that fits into one line, its parts separated; otherwise the last one, cut.

    The last column stays free, because a line that fills it wraps on some terminals.
    """
    room = max(1, look.width - 1)
    lines = [look.dash.join(parts) for parts in variants]
    return next((line for line in lines if len(line) <= room), cut(lines[-1], room, look))
