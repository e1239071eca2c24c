"""Routes that read: lists, items, output, results, causes, explanations, reports, and what machines ask for."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from jobctl.config import Home
from jobctl.errors import OlderDaemon
from tests.factories import JobMaker
from tests.http.serving import serving
from tests.services.finished_job import WorkedOff


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> WorkedOff:
    """A store with a finished job of every outcome (1), a job of bytes that are not text (2), and a failed job (3)."""
    found = WorkedOff(tmp_path_factory.mktemp("bench"))
    found.mixed()
    found.finish("raw.txt", "a\nb\n")
    found.finish("bad.csv", "id,name\n1,bad\n2,bad\n", ("do", "{name}"))
    _with_output(found, "out", item=1, output=b'done, "quoted"\n')
    _with_output(found, "err", item=2, output=b"no luck\n\xff\x00")
    return found


def _with_output(bench: WorkedOff, stream: str, item: int, output: bytes) -> None:
    """Give an attempt an output, which shares its file with others: the executor of the bench writes none."""
    folder = bench.home.job_logs(1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"77.{stream}").write_bytes(b"before" + output + b"after")
    bench.database.execute(
        f"UPDATE attempts SET log = 77, {stream}_off = 6, {stream}_len = ? WHERE job = 1 AND item = ?",
        (len(output), item),
    )


@pytest.fixture(scope="module")
def client(bench: WorkedOff) -> Iterator[httpx.Client]:
    """A client of a server over this store."""
    with serving(bench.home, now=lambda: bench.now) as found:
        yield found


def everything(client: httpx.Client, path: str, key: str) -> list[dict]:
    """All entries of a list, page by page."""
    found: list[dict] = []
    while path:
        response = client.get(path)
        assert response.status_code == 200, response.text
        found += response.json()[key]
        path = response.links.get("next", {}).get("url", "")
    return found


@pytest.mark.parametrize("sort", ["submitted", "-submitted", "name", "-failed", "finished", "eta", "progress", "state"])
def test_pages_of_jobs_have_each_job_once_in_the_order_of_one_page(client: httpx.Client, sort: str) -> None:
    whole = [job["job"] for job in client.get("/v1/jobs", params={"sort": sort}).json()["jobs"]]
    paged = [job["job"] for job in everything(client, f"/v1/jobs?sort={sort}&limit=1", "jobs")]
    assert sorted(whole) == [1, 2, 3]
    assert paged == whole


def test_conditions_on_jobs_are_those_of_the_command(client: httpx.Client) -> None:
    def numbers(**params: object) -> list[int]:
        return [job["job"] for job in client.get("/v1/jobs", params=params).json()["jobs"]]  # type: ignore[arg-type]

    assert numbers(name="m*") == [1]
    assert numbers(state="succeeded") == [2]
    assert numbers(state=["succeeded", "failed"]) == numbers(state="failed,succeeded") == [3, 2, 1]
    assert numbers(queue="nowhere") == []
    assert numbers(since="2h") == [3, 2, 1]


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/v1/jobs?stat=failed", "did you mean state?"),
        ("/v1/jobs?state=faild", "did you mean failed?"),
        ("/v1/jobs?sort=finish", "did you mean finished?"),
        ("/v1/jobs/1/items?state=runing", "did you mean running?"),
        ("/v1/jobs/1/items?cause=timeot", "did you mean timeout?"),
        ("/v1/jobs/1/causes?sort=item", "did you mean items?"),
        ("/v1/jobs?sort=failures", "sort"),
        ("/v1/jobs?limit=0", "limit"),
        ("/v1/jobs?since=whenever", "since"),
        ("/v1/jobs?after=xyz", "after"),
        ("/v1/jobs/1/items?state=lost", "state"),
        ("/v1/jobs/1/items?where=size%20%3E", "where"),
        ("/v1/jobs/1/items?items=3-1", "items"),
        ("/v1/jobs/1/items/0", "item"),
        ("/v1/jobs/1/items/1/logs/stdout?attempt=0", "attempt"),
        ("/healthz?verbose=1", "verbose"),
    ],
)
def test_a_wrong_parameter_is_named(client: httpx.Client, path: str, word: str) -> None:
    response = client.get(path)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert word in response.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/jobs/9",
        "/v1/jobs/nobody",
        "/v1/jobs/9/items",
        "/v1/jobs/1/items/99",
        "/v1/jobs/1/items/99/logs/stdout",
        "/v1/jobs/1/items/1/logs/stdin",
        "/v1/jobs/1/items/1/logs/stdout?attempt=7",
        "/v1/jobs/1/results/rejected.csv",
        "/v1/jobs/1/results/failed.xlsx",
        "/v1/jobs/9/explain",
        "/v1/jobs/9/report",
        "/v1/jobs/9/causes",
        "/v1/nothing",
        "/v1/jobs/",
    ],
)
def test_what_does_not_exist_is_a_problem(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code in (404, 422), response.text
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "place",
    [[1, 10**30], [10**30, 1], [[1], 2], {"a": 1}, [], [None], [True, 1], "x", [1e400, 1], ["a", 1], [None, -5]],
)
def test_a_place_that_no_list_has_is_refused_or_empty(client: httpx.Client, place: object) -> None:
    after = base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
    for sort in ("name", "-failed", "eta"):
        assert client.get("/v1/jobs", params={"sort": sort, "after": after}).status_code in (200, 422)


def test_pages_of_items_have_each_item_once(client: httpx.Client) -> None:
    items = everything(client, "/v1/jobs/1/items?limit=5", "items")
    assert [item["item"] for item in items] == list(range(1, 13))
    failed = everything(client, "/v1/jobs/1/items?failed=true&limit=1", "items")
    assert [item["row"]["name"] for item in failed] == ["bad1", "bad2", "bad3", "bad4"]
    assert everything(client, "/v1/jobs/1/items?cause=exit_65&items=1-5", "items")[0]["item"] == 2
    one = client.get("/v1/jobs/1/items/3").json()
    assert [item["item"] for item in one["items"]] == [3]


def test_output_is_byte_for_byte_and_has_ranges(client: httpx.Client) -> None:
    path = "/v1/jobs/1/items/1/logs/stdout"
    whole = client.get(path)
    assert whole.content == b'done, "quoted"\n'
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["accept-ranges"] == "bytes"
    part = client.get(path, headers={"Range": "bytes=6-12"})
    assert (part.status_code, part.content) == (206, whole.content[6:13])
    assert part.headers["content-range"] == f"bytes 6-12/{len(whole.content)}"
    assert client.get(path, headers={"Range": "bytes=-4"}).content == whole.content[-4:]
    assert client.get(path, headers={"Range": "bytes=900-"}).status_code == 416
    for wanted in ("bytes=0-3", "bytes=900-"):  # Range is for GET alone
        head = client.head(path, headers={"Range": wanted})
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(whole.content)))
    assert client.get(path, headers={"Range": "bytes=2-1"}).status_code == 200
    assert client.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    stale = client.get(path, headers={"Range": "bytes=0-1", "If-Range": '"another"'})
    assert (stale.status_code, stale.content) == (200, whole.content)
    head = client.head(path)
    assert (head.content, head.headers["content-length"]) == (b"", str(len(whole.content)))
    assert client.get("/v1/jobs/1/items/2/logs/stderr").content == b"no luck\n\xff\x00"
    assert client.get("/v1/jobs/1/items/2/logs/stderr?tail=1").content == b"\xff\x00"
    assert client.get("/v1/jobs/1/items/2/logs/stderr?tail=0").content == b""


def test_result_files_have_the_checksum_of_the_manifest(client: httpx.Client) -> None:
    listed = client.get("/v1/jobs/1/results").json()["files"]
    assert [file["kind"] for file in listed] == ["succeeded", "failed", "unprocessed"]
    for file in listed:
        response = client.get(f"/v1/jobs/1/results/{Path(file['path']).name}")
        assert response.content == Path(file["path"]).read_bytes()
        assert response.headers["etag"] == f'"{hashlib.sha256(response.content).hexdigest()}"' == f'"{file["sha256"]}"'
        assert response.headers["content-disposition"].startswith("attachment;")
        assert response.headers["last-modified"].endswith("GMT")
        half = client.get(f"/v1/jobs/1/results/{file['kind']}", headers={"Range": "bytes=4-"})
        assert (half.status_code, half.content) == (206, response.content[4:])


def test_causes_and_explanations_are_those_of_the_commands(client: httpx.Client) -> None:
    causes = client.get("/v1/jobs/1/causes").json()
    assert causes["schema"] == "jobctl.causes/1"
    assert causes["causes"][0]["items"] == 4
    assert client.get("/v1/jobs/1/causes?items=2").json()["causes"][0]["items"] == 1
    assert client.get("/v1/jobs/1/explain").json()["schema"] == "jobctl.explain/1"
    assert client.get("/v1/jobs/1/items/2/explain").json()["item"] == 2


def test_the_report_is_a_page_that_loads_nothing(client: httpx.Client) -> None:
    response = client.get("/v1/jobs/1/report")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "mixed" in response.text
    assert "style-src 'unsafe-inline'" in response.headers["content-security-policy"]


def test_machines_are_told_whether_it_lives_and_works(client: httpx.Client) -> None:
    assert client.get("/healthz").json() == {"schema": "jobctl.health/1", "ok": True}
    assert client.get("/readyz").json()["ok"] is True
    metrics = client.get("/metrics")
    assert metrics.text.endswith("# EOF\n")
    assert metrics.headers["content-type"].startswith("application/openmetrics-text")


def test_every_path_has_head_and_options(client: httpx.Client) -> None:
    for path in ("/v1/jobs", "/v1/jobs/1", "/v1/jobs/1/items", "/healthz", "/v1/jobs/1/results/failed.csv"):
        get, head, options = client.get(path), client.head(path), client.options(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["content-type"] == get.headers["content-type"]
        assert options.status_code == 204
        assert {"GET", "HEAD", "OPTIONS"} <= set(options.headers["allow"].split(", "))
        assert client.request("TRACE", path).status_code == 405


def test_a_home_without_a_store_is_an_empty_list(home: Home) -> None:
    with serving(home) as client:
        assert client.get("/v1/jobs").json()["jobs"] == []
        assert client.get("/v1/jobs/1").status_code == 404
        assert client.get("/readyz").json()["daemon"] == "down"
        assert client.get("/metrics").status_code == 200
        assert not home.root.exists()


def test_nothing_in_a_job_breaks_an_answer(home: Home, store: JobMaker) -> None:
    name = "\u202eq\udcff"
    job = store.job("sf", name=name.encode("utf-8", "surrogateescape"), labels=json.dumps({"a": "\udcff"}))
    store.database.execute(
        "UPDATE items SET payload = ? WHERE job = ? AND item = 1", (b"\xff\xfe\x00" + b"x" * (10 << 20), job)
    )
    store.database.execute("UPDATE attempts SET message = ? WHERE job = ? AND item = 2", (b"\xff\xd8 bad", job))
    with serving(home) as client:
        for path in ("", "/items", "/items?limit=1", "/explain", "/causes", "/report", "/items/2", "/items/1/explain"):
            response = client.get(f"/v1/jobs/{job}{path}")
            assert response.status_code == 200, response.text
        page = client.get(f"/v1/jobs/{job}/items").json()
        assert (len(page["items"]), page["next"]) == (1, 1)
        assert client.get("/v1/jobs").json()["jobs"][0]["job"] == job


def test_a_store_that_cannot_be_read_is_not_ready(home: Home, store: JobMaker) -> None:
    store.database.close()
    for file in home.root.glob("jobctl.db-*"):
        file.unlink()
    home.database.write_bytes(b"not a database" * 1000)
    with serving(home) as client:
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["code"]) == (503, "store")
        assert int(ready.headers["retry-after"]) > 0
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/jobs").status_code == 500
        assert client.get("/v1/jobs/1").json()["code"] == "store"


def test_a_store_that_an_older_daemon_keeps_is_busy(
    home: Home, store: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = store.job("q")

    def refuse(*_: object, **__: object) -> None:
        raise OlderDaemon("a daemon of an older jobctl is running", hint="jobctl daemon restart")

    with serving(home) as client:
        monkeypatch.setattr("jobctl.http.server.open_database", refuse)
        for path in ("/v1/jobs", f"/v1/jobs/{job}", "/readyz"):
            response = client.get(path)
            assert (response.status_code, response.json()["code"]) == (503, "busy")
            assert response.json()["hint"] == "jobctl daemon restart"
            assert int(response.headers["retry-after"]) > 0
