"""The pages for a browser, as HTML: complete, well-formed, harmless, and with forms that work without a script."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from jobctl.config import Home
from jobctl.http.gate import SECURITY_HEADERS
from tests.factories import SECOND, SUBMITTED_AT, JobMaker, make_store
from tests.http.pages import HOSTILE, Page, check_harmless
from tests.http.serving import serving

NOW = SUBMITTED_AT + 90 * SECOND


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One store for the module."""
    return Home(tmp_path_factory.mktemp("pages") / "state")


@pytest.fixture(scope="module")
def client(home: Home) -> Iterator[httpx.Client]:
    """One server for the module."""
    with serving(home, now=lambda: NOW) as found:
        yield found


@pytest.fixture(scope="module")
def store(home: Home, client: httpx.Client) -> JobMaker:
    """The store, which is made when the server runs already."""
    assert "no jobs; submit one with" in page_of(client, "/").text
    return make_store(home)


def page_of(client: httpx.Client, path: str, status: int = 200) -> Page:
    response = client.get(path)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"] == SECURITY_HEADERS["Content-Security-Policy"]
    return check_harmless(response.text)


def failed_job(store: JobMaker, **values: object) -> int:
    """A job that is done, in which every third item has failed."""
    job = store.job("ssf" * 4, state="partial", finished_at=SUBMITTED_AT + 61 * SECOND, attempts=12, **values)
    store.failure(job, 4, samples="[3, 6]", message="refused")
    return job


def test_the_list_has_each_job_with_its_state_and_its_figures(client: httpx.Client, store: JobMaker) -> None:
    done, running = failed_job(store, name="orders"), store.job("srqq", state="running", name="thumbnails")
    page = page_of(client, "/")
    assert {f"/jobs/{done}", f"/jobs/{running}"} <= set(page.links)
    for words in ("orders", "partial", "12 of 12", "thumbnails", "running", "1 of 4", "25.0 %", "No daemon is running"):
        assert words in page.text, words
    bars = [attrs["aria-valuenow"] for attrs in page.named("div") if attrs.get("role") == "progressbar"]
    assert bars[:2] == ["25", "100"]


def test_the_conditions_of_the_form_are_those_of_the_command(client: httpx.Client, store: JobMaker) -> None:
    done, running = failed_job(store, name="only-here"), store.job("srqq", state="running", name="only-there")
    page = page_of(client, "/?state=partial&name=only-*&queue=&label=&since=&sort=failed")
    assert f"/jobs/{done}" in page.links
    assert f"/jobs/{running}" not in page.links
    assert page.form("/").fields["name"] == "only-*"
    assert "1 of " in page.text
    refused = page_of(client, "/?state=banana", 422)
    assert "banana" in refused.text


def test_a_long_list_is_read_page_by_page(client: httpx.Client, store: JobMaker) -> None:
    made = [store.job("s", state="succeeded", finished_at=NOW, name="many") for _ in range(52)]
    first = page_of(client, "/?name=many")
    assert f"/jobs/{made[-1]}" in first.links
    assert f"/jobs/{made[1]}" not in first.links
    (onward,) = [link for link in first.links if "after=" in link]
    second = page_of(client, onward)
    assert {f"/jobs/{made[1]}", f"/jobs/{made[0]}", "/?name=many"} <= set(second.links)
    assert not [link for link in second.links if "after=" in link]


def test_the_page_of_a_job_is_its_report_with_links(client: httpx.Client, store: JobMaker) -> None:
    job = failed_job(store, name="orders")
    page = page_of(client, f"/jobs/{job}")
    assert page.named("title")
    assert page.text.startswith(f"partial: orders (job {job}) - jobctl")
    for words in ("Failures by cause", "refused", "History", "may succeed", f"jobctl retry {job}", "All 12 items"):
        assert words in page.text, words
    assert {f"/jobs/{job}/items", f"/jobs/{job}/items?cause=exit_22", f"/v1/jobs/{job}/report"} <= set(page.links)
    live = next(attrs for attrs in page.named("div") if attrs.get("id") == "live")
    assert live["data-part"] == f"/jobs/{job}?part=live"


def test_a_part_is_the_inside_of_its_page(client: httpx.Client, store: JobMaker) -> None:
    job = failed_job(store)
    whole, part = client.get(f"/jobs/{job}").text, client.get(f"/jobs/{job}?part=live").text
    assert part.startswith('<div id="live"')
    assert part in whole
    etag = client.get(f"/jobs/{job}?part=live").headers["etag"]
    unchanged = client.get(f"/jobs/{job}?part=live", headers={"If-None-Match": etag})
    assert unchanged.status_code == 304


def test_the_forms_of_a_job_fit_its_state(client: httpx.Client, store: JobMaker) -> None:
    done, running = failed_job(store), store.job("srqq", state="running")
    actions = {form.action.rpartition("/")[2] for form in page_of(client, f"/jobs/{done}").forms}
    assert actions == {"retry"}
    page = page_of(client, f"/jobs/{running}")
    assert {form.action.rpartition("/")[2] for form in page.forms} == {"pause", "set", "cancel"}
    assert {"timeout", "slots", "rate", "deadline"} <= set(page.form(f"/jobs/{running}/set").fields)
    assert all(form.method == "post" for form in page.forms)
    retry = page_of(client, f"/jobs/{done}").forms[0]
    assert not {"env", "cwd", "python", "notify"} & set(retry.fields)


def test_the_items_have_conditions_and_pages(client: httpx.Client, store: JobMaker) -> None:
    job = store.job("s" * 150 + "f", state="partial", finished_at=NOW)
    store.failure(job, 1, samples="[151]", message="refused")
    first = page_of(client, f"/jobs/{job}/items")
    assert f"/jobs/{job}/items/100" in first.links
    assert f"/jobs/{job}/items?after=100" in first.links
    failed = page_of(client, f"/jobs/{job}/items?state=failed&cause=&items=&where=")
    assert [link for link in failed.links if link.startswith(f"/jobs/{job}/items/")] == [f"/jobs/{job}/items/151"]
    none = page_of(client, f"/jobs/{job}/items?state=running")
    assert "running" in none.text
    assert "banana" in page_of(client, f"/jobs/{job}/items?where=banana+%3D%3D+1", 422).text


def test_the_page_of_an_item_has_its_row_and_its_attempts(client: httpx.Client, store: JobMaker) -> None:
    job = failed_job(store)
    store.attempt(job, 3, slot=1, started_at=SUBMITTED_AT, duration_us=SECOND, code=22, message="refused")
    page = page_of(client, f"/jobs/{job}/items/3")
    for words in (f"item {job}.3", "failed", "Row", "https://example.org/3", "Attempts", "exit_22", "stdout", "stderr"):
        assert words in page.text, words
    assert {f"/jobs/{job}", f"/v1/jobs/{job}/items/3/logs/stdout?attempt=1"} <= set(page.links)
    assert page_of(client, f"/jobs/{job}/items/99", 404)


def test_text_of_strangers_is_text_on_every_page(client: httpx.Client, store: JobMaker) -> None:
    job = failed_job(store, name=HOSTILE, labels={"team": HOSTILE}, command=["echo", HOSTILE])
    store.failure(job, 4, id=1_000, samples="[9]", message=HOSTILE)
    store.attempt(job, 3, slot=1, started_at=SUBMITTED_AT, duration_us=SECOND, code=22, message=HOSTILE)
    for path in ("/", f"/jobs/{job}", f"/jobs/{job}/items", f"/jobs/{job}/items/3"):
        assert "window.hit=1" in page_of(client, path).text
    quoted = quote(HOSTILE)
    for path in (f"/?name={quoted}", f"/jobs/{job}/items?where={quoted}", f"/?state={quoted}", f"/?{quoted}=1"):
        check_harmless(client.get(path).text)


def test_an_error_is_a_page_with_what_to_do(client: httpx.Client, store: JobMaker) -> None:
    store.job("s")
    page = page_of(client, "/jobs/9999", 404)
    assert "there is no job 9999" in page.text
    assert "/" in page.links
    page_of(client, "/?color=red", 422)


def test_a_browser_without_a_session_is_told_how_to_sign_in(home: Home) -> None:
    with serving(home, tcp=True) as client:
        page = page_of(client, "/", 401)
        assert "jobctl serve link" in page.text
        assert not page.forms


def test_the_files_of_the_pages_are_kept_by_browsers(client: httpx.Client) -> None:
    page = page_of(client, "/")
    files = [attrs["href"] for attrs in page.named("link")] + [attrs["src"] for attrs in page.named("script")]
    for address in files:
        assert address is not None
        response = client.get(address)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
        assert response.headers["x-content-type-options"] == "nosniff"
    assert client.get(f"{(files[0] or '').rpartition('/')[0]}/../app.py").status_code == 404
