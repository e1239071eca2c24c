"""The progress of reading an input or of writing rows, on one line that leaves the last column free."""

from __future__ import annotations

from jobctl.domain.durations import format_duration
from jobctl.domain.wording import number, plural, size
from jobctl.render.bar import share_cells
from jobctl.render.look import Look

_BAR_MIN, _BAR_MAX = 10, 40
_GREEN, _GREY, _PLAIN = "\x1b[32m", "\x1b[90m", "\x1b[0m"


def reading_line(rows: int, read: int, total: int | None, elapsed_s: float, look: Look) -> str:
    """``read`` of ``total`` bytes in ``elapsed_s`` seconds; without a total, or at the end, the rows alone."""
    if total is None or read >= total:
        return f"{plural(rows, 'row')} read{look.dash}{size(read)}"[: look.width - 1]
    facts = look.dash.join((plural(rows, "row"), f"{size(read)} of {size(total)}", _left(read, total, elapsed_s)))
    return _with_bar(read, total, facts, look)


def writing_line(written: int, total: int, elapsed_s: float, look: Look) -> str:
    """``written`` of ``total`` rows in ``elapsed_s`` seconds; at the end, the rows alone."""
    if written >= total:
        return f"{plural(written, 'row')} written"[: look.width - 1]
    facts = f"{number(written)} of {plural(total, 'row')} written"
    if written:
        facts += look.dash + _left(written, total, elapsed_s)
    return _with_bar(written, total, facts, look)


def _left(done: int, total: int, elapsed_s: float) -> str:
    return f"{format_duration(max(1, round(elapsed_s * (total - done) / max(1, done))))} left"


def _with_bar(done: int, total: int, facts: str, look: Look) -> str:
    share = f"{100 * done // total:3} %"
    room = min(_BAR_MAX, look.width - len(share) - len(facts) - 5)
    if not look.terminal or room < _BAR_MIN:
        return f"{share}  {facts}".strip()[: look.width - 1]
    return f"{share}  {_bar(done, total, room, look)}  {facts}"


def _bar(read: int, total: int, width: int, look: Look) -> str:
    done, rest = share_cells([read, total - read], width)
    if look.color:
        return f"{_GREEN}{'━' * done}{_GREY}{'━' * rest}{_PLAIN}" if look.unicode else f"{'=' * done}{'.' * rest}"
    return f"{'█' * done}{'░' * rest}" if look.unicode else f"{'=' * done}{'.' * rest}"
