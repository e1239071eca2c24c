"""The files of the pages: styles, the script and the icon. Their address has a digest, so browsers keep them."""

from __future__ import annotations

from functools import cache
from importlib import resources

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import Response

from jobctl.http.answers import digest
from jobctl.render.report.style import STYLE

router = APIRouter(include_in_schema=False)

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
#: A year: another version has another address.
_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


@cache
def files() -> dict[str, bytes]:
    """The files by name. The style of a report is that of the file that ``jobctl report`` writes."""
    found = {each.name: each.read_bytes() for each in (resources.files("jobctl.http") / "static").iterdir()}
    return {"report.css": STYLE.encode(), **found}


@cache
def static_root() -> str:
    """The folder of the files in addresses."""
    return f"/static/{digest(b''.join(files()[name] for name in sorted(files())))[:12]}"


@router.get("/static/{version}/{name}")
async def static_file(version: str, name: str) -> Response:
    """One file; ``version`` only makes the address of another version different."""
    del version
    content = files().get(name)
    if content is None:
        raise HTTPException(404)
    return Response(content, 200, _HEADERS, _TYPES[name.rpartition(".")[2]])


@router.get("/favicon.ico")
async def icon() -> Response:
    """The icon, for a browser that shows a file without a page."""
    return Response(files()["icon.svg"], 200, _HEADERS, _TYPES["svg"])
