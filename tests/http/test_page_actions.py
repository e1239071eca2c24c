"""The forms of the pages: each calls one service in the name of the caller, and leads back to the page."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from jobctl.config import Home
from jobctl.http import page_data
from jobctl.render.pages.frame import Frame, Viewer, markup
from jobctl.render.pages.job import job_page
from jobctl.services.output.report import Subject
from jobctl.store import jobs
from tests.factories import SECOND, SUBMITTED_AT, JobMaker, make_store
from tests.http.pages import HOSTILE, Page, check_harmless
from tests.http.serving import serving

NOW = SUBMITTED_AT + 90 * SECOND


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One store for the module."""
    return Home(tmp_path_factory.mktemp("pages") / "state")


@pytest.fixture(scope="module")
def store(home: Home) -> JobMaker:
    return make_store(home)


@pytest.fixture(scope="module")
def client(home: Home, store: JobMaker) -> Iterator[httpx.Client]:
    """One server for the module, with a recipe in the settings of its user."""
    place = home.root.parent
    settings = place / "config" / "jobctl" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[recipe.price]\nsummary = "Prices <b>orders</b>"\ncommand = ["true", "{id}"]\nslots = 2\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(place / "config"))
        patch.chdir(place)
        with serving(home, now=lambda: NOW) as found:
            yield found


def send(client: httpx.Client, path: str, **fields: str) -> str:
    """Send a form; returns where it leads."""
    response = client.post(path, data=fields)
    assert response.status_code == 303, response.text
    return response.headers["location"]


def refused(client: httpx.Client, path: str, status: int = 422, **fields: str) -> Page:
    response = client.post(path, data=fields)
    assert response.status_code == status
    return check_harmless(response.text)


def row(store: JobMaker, job: int) -> jobs.JobRow:
    found = jobs.load(store.database, job)
    assert found is not None
    return found


def failed_job(store: JobMaker) -> int:
    job = store.job("sff", state="partial", finished_at=SUBMITTED_AT + 61 * SECOND)
    store.failure(job, 2, samples="[2, 3]", message="refused")
    return job


def test_a_job_is_paused_continued_and_given_other_rules(client: httpx.Client, store: JobMaker) -> None:
    job = store.job("sqq", state="running")
    assert send(client, f"/jobs/{job}/pause") == f"/jobs/{job}?said=paused"
    assert row(store, job).state == "paused"
    assert "The job is paused" in Page(client.get(f"/jobs/{job}?said=paused").text).text
    assert send(client, f"/jobs/{job}/pause") == f"/jobs/{job}?said=nothing"
    assert send(client, f"/jobs/{job}/resume") == f"/jobs/{job}?said=resumed"
    assert send(client, f"/jobs/{job}/set", slots="3", timeout="5m", rate="") == f"/jobs/{job}?said=changed"
    assert (row(store, job).policy.slots, row(store, job).policy.timeout_s) == (3, 300.0)


def test_a_form_that_is_refused_is_shown_again_with_the_reason(client: httpx.Client, store: JobMaker) -> None:
    job = store.job("sqq", state="running")
    before = row(store, job).policy
    page = refused(client, f"/jobs/{job}/set", slots="3", timeout=f"soon {HOSTILE}")
    assert "is not a duration" in page.text
    assert page.form(f"/jobs/{job}/set").fields["slots"] == "3"
    assert [attrs for attrs in page.named("details") if attrs["id"] == "set" and "open" in attrs]
    assert not [attrs for attrs in page.named("div") if attrs.get("id") == "live"]
    assert row(store, job).policy == before
    assert "no rule was given" in refused(client, f"/jobs/{job}/set", slots="").text


def test_a_field_that_is_refused_has_the_name_that_the_page_shows(client: httpx.Client, store: JobMaker) -> None:
    job = store.job("sf", state="partial", started_at=1, finished_at=2)
    page = refused(client, f"/jobs/{job}/retry", slots="lots")
    assert "slots: 'lots' is not a whole number" in page.text
    assert "--slots" not in page.text


def test_the_items_of_one_cause_are_retried_with_another_rule(client: httpx.Client, store: JobMaker) -> None:
    job = failed_job(store)
    assert "not done" in refused(client, f"/jobs/{store.job('q')}/retry", 409).text
    assert send(client, f"/jobs/{job}/retry", cause="exit_22", attempts="5") == f"/jobs/{job}?said=retried"
    found = row(store, job)
    assert (found.round, found.counts.queued, found.policy.attempts) == (2, 2, 5)


def test_one_item_is_retried(client: httpx.Client, store: JobMaker) -> None:
    job = failed_job(store)
    assert send(client, f"/jobs/{job}/items/3/retry") == f"/jobs/{job}/items/3?said=retried"
    assert row(store, job).counts.queued == 1
    refused(client, f"/jobs/{job}/items/9/retry", 409)
    refused(client, "/jobs/9999/items/9/retry", 404)


def test_a_job_without_a_way_back_says_so(client: httpx.Client, store: JobMaker) -> None:
    job = failed_job(store)
    assert refused(client, f"/jobs/{job}/undo").text


def test_nothing_that_a_form_of_a_page_does_not_have_reaches_a_job(client: httpx.Client, store: JobMaker) -> None:
    job = failed_job(store)
    before = row(store, job)
    send(client, f"/jobs/{job}/retry", env="PATH=/nowhere", cwd="/nowhere", command="rm", shell="rm")
    assert (row(store, job).env, row(store, job).cwd) == (before.env, before.cwd)
    refused(client, f"/jobs/{job}/retry", 422, reason="x" * 20_000)
    assert client.post(f"/jobs/{job}/retry", files={"cause": b"exit_22"}).status_code in (400, 422)


def test_the_recipes_are_listed_with_their_forms(client: httpx.Client) -> None:
    page = check_harmless(client.get("/recipes").text)
    assert "/recipes/price" in page.links
    assert "Prices <b>orders</b>" in page.text
    form = check_harmless(client.get("/recipes/price").text).form("/recipes/price/jobs")
    assert {"file", "timeout", "name", "key"} <= set(form.fields)
    assert not {"command", "cwd", "env", "notify", "on-done"} & set(form.fields)
    assert client.get("/recipes/none").status_code == 404


def test_a_token_sees_the_buttons_that_it_may_use(home: Home, client: httpx.Client, store: JobMaker) -> None:
    job = failed_job(store)
    viewers = {scope: Viewer(scope != "read", scope == "control") for scope in ("read", "submit", "control")}
    found = page_data.job_page_of(store.database, home, Subject(job, NOW), viewers["read"])
    for scope, viewer in viewers.items():
        page = Page(markup(job_page(found._replace(viewer=viewer)), Frame(viewer)))
        assert ("/recipes" in page.links) == (scope != "read")
        assert bool(page.forms) == (scope == "control")


def test_a_file_is_judged_before_it_is_accepted(client: httpx.Client) -> None:
    before = client.get("/v1/jobs").json()["jobs_total"]
    good = {"file": ("orders.csv", f"id,note\n1,{HOSTILE.replace(chr(34), '')}\n2,b\n".encode())}
    page = check_harmless(client.post("/recipes/price/preview", files=good, data={"timeout": ""}).text)
    for words in ("It can be submitted", "Format csv, 2 rows", "true 1", "window.hit=1"):
        assert words in page.text, words
    part = client.post("/recipes/price/preview", files=good, headers={"X-Part": "answer"})
    assert part.text.startswith('<section id="preview">')
    assert client.get("/v1/jobs").json()["jobs_total"] == before


def test_a_bad_file_is_refused_with_the_place_of_each_bad_row(client: httpx.Client) -> None:
    before = client.get("/v1/jobs").json()["jobs_total"]
    bad = {"file": ("orders.csv", b"id,note\n1,a\n2\n,\n")}
    for path in ("/recipes/price/preview", "/recipes/price/jobs"):
        response = client.post(path, files=bad)
        assert response.status_code == 422
        page = check_harmless(response.text)
        for words in ("line 3, record 2", "1 field where the header has 2", "line 4, record 3", "nothing was accepted"):
            assert words in page.text, words
    assert client.get("/v1/jobs").json()["jobs_total"] == before


def test_a_file_is_accepted_and_its_job_is_shown(client: httpx.Client) -> None:
    file = {"file": ("orders.csv", b"id\n1\n2\n")}
    response = client.post("/recipes/price/jobs", files=file, data={"name": "tuesday", "timeout": "5m", "slots": ""})
    assert response.status_code == 303
    place, _, said = response.headers["location"].partition("?")
    assert said == "said=submitted"
    status = client.get(f"/v1{place}").json()
    assert (status["name"], status["counts"]["total"], status["policy"]["slots"]) == ("tuesday", 2, 2)
    part = client.post("/recipes/price/jobs", files=file, headers={"X-Part": "answer"})
    assert (part.status_code, part.headers["x-location"].partition("?")[2]) == (200, "said=submitted")
