"""``POST /jobs/42/cancel`` and the other forms of the pages: one service each, then back to the page.

A form of another site cannot be sent with the session of a browser: its cookie is SameSite, and the origin of every
request that changes something is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from jobctl.domain.job_options import JobOption
from jobctl.domain.selection import Selection
from jobctl.errors import JobctlError, NotFound, UsageError
from jobctl.http.access import Caller, Controller, check_rules, job_of, selection_of
from jobctl.http.parameters import ItemPath, JobPath
from jobctl.http.problems import Refused, status_of_error
from jobctl.http.routes.pages import PageRoute, job_response
from jobctl.http.server import Server, server_of
from jobctl.http.wording import in_request
from jobctl.render.pages.actions import RefusedForm
from jobctl.render.pages.rule_fields import rules_of_job, rules_of_round
from jobctl.services.control.cancel import cancel
from jobctl.services.control.pause import pause, resume
from jobctl.services.control.retry import retry_all, selections
from jobctl.services.control.round_rules import rules_of_round as read_rules
from jobctl.services.control.rules import set_rules
from jobctl.services.control.targets import Target
from jobctl.services.control.undo import UndoRequest, undo

router = APIRouter(route_class=PageRoute, include_in_schema=False)

#: What a service did: the job to show, and the word for the answer (see ``pages.SAID``).
Done = tuple[int, str]
_SELECTING = ("state", "cause", "items", "where", "unknown")
_MOST_FIELDS, _LONGEST = 100, 10_000


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form that are not empty. Raises UsageError for one that is too long, and for a file."""
    found = await request.form(max_files=0, max_fields=_MOST_FIELDS)
    given = {}
    for name, value in found.items():
        if not isinstance(value, str) or len(value) > _LONGEST:
            raise UsageError(f"{name[:100]} has more than {_LONGEST} characters")
        if value.strip():
            given[name] = value.strip()
    return given


async def _act(request: Request, found: Caller, job: str, action: str, act: Callable[..., Done]) -> Response:
    """Let a service do what a form asks for; a form that is refused is shown again, with the reason."""
    server, given = server_of(request), await form_of(request)

    def in_thread() -> Done:
        with server.database() as database:
            number = job_of(database, found, job)
        return act(server, number, given)

    try:
        number, said = await server.call(in_thread)
    except (NotFound, Refused):
        raise
    except JobctlError as error:
        refused = RefusedForm(action, given, in_request(error.message, "-"), in_request(error.hint or "", "-"))
        return await job_response(request, found, job, refused=refused, status=status_of_error(error))
    return _back(f"/jobs/{number}", said)


def _back(path: str, said: str) -> Response:
    return RedirectResponse(f"{quote(path)}?said={said}", 303)


@router.post("/jobs/{job}/cancel")
async def cancel_job(request: Request, job: JobPath, found: Controller) -> Response:
    """Cancel a job; the page shows how its items end."""

    def act(server: Server, number: int, given: Mapping[str, str]) -> Done:
        reason, at_once = given.get("reason", ""), "now" in given
        results = cancel(server.home, [Target(number)], at_once=at_once, reason=reason, now=server.now(), waits=False)
        return number, "cancelled" if results[0].changed else "nothing"

    return await _act(request, found, job, "cancel", act)


@router.post("/jobs/{job}/pause")
async def pause_job(request: Request, job: JobPath, found: Controller) -> Response:
    """Start no more items of a job."""

    def act(server: Server, number: int, given: Mapping[str, str]) -> Done:
        results = pause(server.home, [number], reason=given.get("reason", ""), now=server.now())
        return number, "paused" if results[0].changed else "nothing"

    return await _act(request, found, job, "pause", act)


@router.post("/jobs/{job}/resume")
async def resume_job(request: Request, job: JobPath, found: Controller) -> Response:
    """Continue a paused job."""

    def act(server: Server, number: int, _given: Mapping[str, str]) -> Done:
        return number, "resumed" if resume(server.home, [number], now=server.now())[0].changed else "nothing"

    return await _act(request, found, job, "resume", act)


@router.post("/jobs/{job}/retry")
async def retry_job(request: Request, job: JobPath, found: Controller) -> Response:
    """Begin another round of a job, perhaps with other rules, or for the items of one cause."""

    def act(server: Server, number: int, given: Mapping[str, str]) -> Done:
        check_rules(found, given)
        rules = read_rules(_rules(given, rules_of_round()))
        chosen = selections([Target(number)], _selection(found, given))
        retry_all(server.home, chosen, rules, now=server.now())
        return number, "retried"

    return await _act(request, found, job, "retry", act)


@router.post("/jobs/{job}/set")
async def change_job(request: Request, job: JobPath, found: Controller) -> Response:
    """Change the rules of a job that is not done."""

    def act(server: Server, number: int, given: Mapping[str, str]) -> Done:
        rules = {name: given[name] for name in rules_of_job() if name in given}
        check_rules(found, rules)
        if not rules:
            raise UsageError("no rule was given", hint="fill in at least one field")
        set_rules(server.home, number, rules, now=server.now())
        return number, "changed"

    return await _act(request, found, job, "set", act)


@router.post("/jobs/{job}/undo")
async def undo_job(request: Request, job: JobPath, found: Controller) -> Response:
    """Take back the rows of a job; the page of the undo job is shown."""

    def act(server: Server, number: int, _given: Mapping[str, str]) -> Done:
        return undo(server.home, UndoRequest(number), now=server.now()).job, "submitted"

    return await _act(request, found, job, "undo", act)


@router.post("/jobs/{job}/items/{item}/retry")
async def retry_item(request: Request, job: JobPath, item: ItemPath, found: Controller) -> Response:
    """Run one item again."""
    return await _act_on_item(request, found, job, item, _retry_item)


@router.post("/jobs/{job}/items/{item}/cancel")
async def cancel_item(request: Request, job: JobPath, item: ItemPath, found: Controller) -> Response:
    """Cancel one item; its job continues."""
    return await _act_on_item(request, found, job, item, _cancel_item)


async def _act_on_item(
    request: Request, found: Caller, job: str, item: int, act: Callable[[Server, int, int], str]
) -> Response:
    server = server_of(request)

    def in_thread() -> Done:
        with server.database() as database:
            number = job_of(database, found, job)
        return number, act(server, number, item)

    number, said = await server.call(in_thread)
    return _back(f"/jobs/{number}/items/{item}", said)


def _retry_item(server: Server, job: int, item: int) -> str:
    retry_all(server.home, {job: Selection.of_items([item])}, now=server.now())
    return "retried"


def _cancel_item(server: Server, job: int, item: int) -> str:
    now = server.now()
    results = cancel(server.home, [Target(job, item)], at_once=False, reason="", now=now, waits=False)
    return "cancelled" if results[0].changed else "nothing"


def _rules(given: Mapping[str, str], known: Mapping[str, JobOption]) -> dict[str, str]:
    """The rules that a form gives, by ``JobOption.key``."""
    return {option.key: given[name] for name, option in known.items() if name in given}


def _selection(found: Caller, given: Mapping[str, str]) -> Selection:
    chosen = {name: given[name] for name in _SELECTING if name in given}
    options = {name: [value] if name in ("state", "cause") else value for name, value in chosen.items()}
    return selection_of(found, options)
