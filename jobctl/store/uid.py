"""Makes the identifier that a job has in every document and result file, also after it left its store."""

from __future__ import annotations

import os


def new_uid(now: int) -> str:
    """Return a UUIDv7 (RFC 9562): it sorts by time and is unique without coordination."""
    value = (now // 1000) << 80 | 0x7 << 76 | int.from_bytes(os.urandom(2), "big") >> 4 << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
