"""``POST /v1/jobs/42/cancel`` and the like: what commands do to a job. ``PATCH /v1/jobs/42`` changes its rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from jobctl.domain.job_options import JobOption
from jobctl.errors import UsageError
from jobctl.http.access import Caller, Controller, check_rules, job_of, selection_of
from jobctl.http.answers import answer, revision_in
from jobctl.http.bodies import CancelBody, PauseBody, ResumeBody, RetryBody, RulesBody, UndoBody
from jobctl.http.parameters import JobPath
from jobctl.http.rules import OF_ROUNDS, OF_SET, by_name, rules_in
from jobctl.http.server import Server, server_of
from jobctl.http.small_body import SmallBodyRoute
from jobctl.process.this_process import acting_as
from jobctl.services.control import cancel as cancelling
from jobctl.services.control.cancel_items import ItemsToCancel, cancel_items, items_document
from jobctl.services.control.pause import pause, pause_document, resume, resume_document
from jobctl.services.control.retry import retry_all, retry_document, selections
from jobctl.services.control.round_rules import rules_of_round
from jobctl.services.control.rules import set_document, set_rules
from jobctl.services.control.targets import Target
from jobctl.services.control.undo import UndoRequest, undo, undo_document, undo_selection

router = APIRouter(prefix="/v1/jobs/{job}", route_class=SmallBodyRoute)
T = TypeVar("T")


async def _act(request: Request, found: Caller, text: str, act: Callable[[Server, int], T]) -> T:
    """Do something to the job that a word names, in the name of the caller."""
    server = server_of(request)

    def in_thread() -> T:
        with server.database() as database:
            job = job_of(database, found, text)
        with acting_as(found.actor):
            return act(server, job)

    return await server.call(in_thread)


@router.post("/cancel", status_code=202)
async def cancel_job(request: Request, job: JobPath, found: Controller, body: CancelBody | None = None) -> Response:
    """Cancel a job, or selected items of it. The answer comes before they have ended; 200: nothing was live."""
    wanted = body or CancelBody.model_validate({})
    selection = selection_of(found, wanted.model_dump())

    def act(server: Server, number: int) -> Any:
        if selection.is_default:
            target = [Target(number)]
            results = cancelling.cancel(
                server.home, target, at_once=wanted.now, reason=wanted.reason, now=server.now(), waits=False
            )
            return cancelling.cancel_document(results)
        how = ItemsToCancel(wanted.now, wanted.reason, server.now(), waits=False)
        return items_document(cancel_items(server.home, {number: selection}, how))

    document = await _act(request, found, job, act)
    is_asked = any(each["cancelled"] for each in document["cancelled"])
    return answer(request, document, status=202 if is_asked else 200)


@router.post("/pause")
async def pause_job(request: Request, job: JobPath, found: Controller, body: PauseBody | None = None) -> Response:
    """Start no more items of a job; running items finish."""
    reason = (body or PauseBody()).reason

    def act(server: Server, number: int) -> Any:
        return pause_document(pause(server.home, [number], reason=reason, now=server.now()))

    return answer(request, await _act(request, found, job, act))


@router.post("/resume")
async def resume_job(request: Request, job: JobPath, found: Controller, body: ResumeBody | None = None) -> Response:  # noqa: ARG001 - an empty body is checked
    """Continue a paused or held job."""

    def act(server: Server, number: int) -> Any:
        return resume_document(resume(server.home, [number], now=server.now()))

    return answer(request, await _act(request, found, job, act))


def _rules_of_round(found: Caller, body: BaseModel) -> dict[JobOption, Any]:
    given = rules_in(body, OF_ROUNDS)
    check_rules(found, given)
    return rules_of_round(given)


@router.post("/retry", status_code=202)
async def retry_job(request: Request, job: JobPath, found: Controller, body: RetryBody | None = None) -> Response:  # type: ignore[valid-type]
    """Run the items that did not succeed again, as the next round of the same job, perhaps with other rules."""
    wanted = body or RetryBody()
    selection, rules = selection_of(found, wanted.model_dump()), _rules_of_round(found, wanted)

    def act(server: Server, number: int) -> Any:
        chosen = selections([Target(number)], selection)
        return retry_document(retry_all(server.home, chosen, rules, now=server.now()))

    document = await _act(request, found, job, act)
    return answer(request, document, status=202, headers={"Location": f"/v1/jobs/{document['retried'][0]['job']}"})


@router.post("/undo", status_code=202)
async def undo_job(request: Request, job: JobPath, found: Controller, body: UndoBody | None = None) -> Response:  # type: ignore[valid-type]
    """Take back the rows of a job that succeeded, with the way back that it has. The undo is a job of its own."""
    wanted = body or UndoBody()
    selection = undo_selection(selection_of(found, wanted.model_dump()))
    rules = _rules_of_round(found, wanted)

    def act(server: Server, number: int) -> Any:
        return undo_document(undo(server.home, UndoRequest(number, selection, rules=rules), now=server.now()))

    document = await _act(request, found, job, act)
    return answer(request, document, status=202, headers={"Location": f"/v1/jobs/{document['job']}"})


@router.patch("")
async def change_job(
    request: Request,
    job: JobPath,
    found: Controller,
    body: RulesBody,  # type: ignore[valid-type]
    if_match: Annotated[
        str | None,
        Header(description="The ETag of the job: the change is refused if the job has changed since.", max_length=200),
    ] = None,
) -> Response:
    """Change the rules of a job that is not done, as jobctl set does."""
    rules = by_name(rules_in(body, OF_SET))
    check_rules(found, rules)
    if not rules:
        raise UsageError("there is no rule in the body", hint='for example {"slots": 8}')
    seen = None if if_match is None else revision_in(if_match)

    def act(server: Server, number: int) -> Any:
        return set_document(number, set_rules(server.home, number, rules, now=server.now(), revision=seen))

    return answer(request, await _act(request, found, job, act))
