"""The report: well-formed, complete, harmless, self-contained; and as a browser sees it."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jobctl.render.report.charts import duration_chart, slots_chart, throughput_chart
from jobctl.render.report.page import report_page
from jobctl.render.report.svg import Drawing, round_step, ticks, time_step
from jobctl.services.output.report import Subject, report
from jobctl.store import figures
from tests.factories import SECOND, SUBMITTED_AT
from tests.figures import some_course, some_durations

NOW = SUBMITTED_AT + 90 * SECOND
NASTY = '</style><script>alert("1")</script>&amp;\x1b[31m\u202e"\'<img src=x onerror=alert(2)>'
VOID = {"meta", "br"}


class Page(HTMLParser):
    """Checks that every tag is closed in its place; keeps the text, the tags and their attributes."""

    def __init__(self, source):
        super().__init__()
        self.open, self.words, self.tags = [], [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def named(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture
def job(store):
    """A finished job: forty items in four slots, ten of them failed."""
    number = store.job(
        "sssf" * 10,
        state="partial",
        name=f"invoices {NASTY}",
        started_at=SUBMITTED_AT + SECOND,
        finished_at=SUBMITTED_AT + 61 * SECOND,
        attempts=40,
        labels={"team": NASTY},
        command=["curl", NASTY, "{url}"],
    )
    store.failure(number, 10, samples="[4, 8, 12]", message=f"refused {NASTY}")
    for item in range(1, 41):
        values = {"slot": item % 4, "started_at": SUBMITTED_AT + item * SECOND, "duration_us": 3 * SECOND}
        failed = {"code": 22, "message": f"item {item}: {NASTY}"} if item % 4 == 0 else {}
        store.attempt(number, item, **values | failed)
    with store.database.transaction():
        figures.save(store.database, number, some_durations(40), some_course(30, 10, at=SUBMITTED_AT + SECOND))
    return number


@pytest.fixture
def page(store, home, job):
    return report_page(report(store.database, home, Subject(job, NOW)))


def test_the_page_has_the_outcome_the_failures_and_the_next_steps(page):
    parsed = Page(page)
    assert parsed.text.count("Slowest items") == 1
    for words in (
        "partial",
        "30 succeeded, 10 failed",
        "refused",
        "jobctl retry 1",
        "10 items would run again",
        "for example 3 items",
        "item 4 (1 attempt, took 3s)",
        "https://example.org/8",
        "40 attempts of all rounds",
        "round 1: 40 attempts",
        "2026-11-23 18:28:31 UTC",
        "SHA-256",
    ):
        assert words in parsed.text, words
    assert [attrs["viewbox"].split()[2] for attrs in parsed.named("svg")] == ["1000", *["760"] * 3]
    assert len([attrs for attrs in parsed.named("rect") if attrs.get("class") == "failed"]) == 1 + 10
    assert len([attrs for attrs in parsed.named("rect") if attrs.get("class") == "succeeded"]) == 1 + 30


def test_the_slowest_items_are_named(page):
    rows = re.findall(r'<tr><td class="number">(\d+)</td><td class="number">1</td><td>(.*?)</td></tr>', page)
    assert [int(item) for item, _ in rows] == [30, 29, 28, 27, 26]
    assert rows[0][1] == "4s"


def test_text_of_strangers_is_text(page):
    parsed = Page(page)
    assert {tag for tag, _ in parsed.tags} <= {
        *(
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "main",
            "header",
            "section",
            "h1",
            "h2",
            "p",
            "span",
            "div",
        ),
        *("dl", "dt", "dd", "table", "thead", "tr", "th", "td", "code", "pre", "details", "summary", "br", "time"),
        *("figure", "figcaption", "svg", "rect", "path", "line", "text"),
    }
    assert not [attrs for _, attrs in parsed.tags if any(name.startswith("on") for name in attrs)]
    assert 'alert("1")' in parsed.text
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", page)


def test_nothing_is_loaded_from_anywhere(page):
    parsed = Page(page)
    assert not [attrs for _, attrs in parsed.tags if {"src", "href", "xlink:href", "action", "data"} & set(attrs)]
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = [attrs["content"] for attrs in parsed.named("meta") if "http-equiv" in attrs]
    assert policy.startswith("default-src 'none'")
    assert "prefers-color-scheme: dark" in style


@pytest.mark.parametrize("states", ["q", "qq", "r", "ss", "u"])
def test_a_job_without_failures_or_figures_has_a_report_too(store, home, states):
    done = {"s": "succeeded", "u": "cancelled"}.get(states[0])
    ended = {"state": done, "finished_at": NOW} if done else {"state": "queued"}
    job = store.job(states, **ended)
    parsed = Page(report_page(report(store.database, home, Subject(job, NOW))))
    assert f"job {job} nightly-invoices" in parsed.text
    assert "Not now" in parsed.text or done == "cancelled"


def test_the_timeline_of_a_large_job_is_a_bounded_sample(store, home):
    job = store.job("s", state="succeeded", finished_at=NOW, attempts=50_000)
    row = (job, 1, 1, 2, SUBMITTED_AT, 0, SECOND, 0)
    columns = "job, attempt, round, slot, started_at, ending, duration_us, log"
    with store.database.transaction():
        store.database.executemany(
            f"INSERT OR REPLACE INTO attempts (item, {columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((item, *row) for item in range(1, 50_001)),
        )
    timeline = report(store.database, home, Subject(job, NOW))["timeline"]
    assert timeline["every_nth_item"] == 25
    assert len(timeline["bars"]) == 2_000
    assert [bar["item"] for bar in timeline["bars"][:3]] == [1, 26, 51]


def test_drawings_stay_inside_their_frame(store, home, job):
    found = report(store.database, home, Subject(job, NOW))
    status = found["status"]
    drawings = [
        throughput_chart(status["throughput"]),
        duration_chart(found["histogram"], status["durations"]),
        slots_chart(found["timeline"]),
    ]
    for drawing in drawings:
        for attrs in Page(drawing.markup()).named("rect"):
            x, y, wide, tall = (float(attrs[name]) for name in ("x", "y", "width", "height"))
            assert 0 <= x <= x + wide <= drawing.width + 1
            assert 0 <= y <= y + tall <= drawing.height


def test_drawings_of_nothing_are_none():
    assert throughput_chart(None) is None
    assert duration_chart([], {}) is None
    assert slots_chart({"bars": []}) is None


@pytest.mark.parametrize(
    ("span", "step"), [(0.4, 0.05), (7, 1), (55, 10), (100, 15), (500, 120), (86_400, 10_800), (864_000, 172_800)]
)
def test_time_is_divided_as_people_count_it(span, step):
    assert time_step(span, 8) == pytest.approx(step)
    assert len(list(ticks(span, step))) <= 10


@pytest.mark.parametrize(("span", "step"), [(0.003, 0.001), (4, 1), (37, 10), (41, 20), (900, 500)])
def test_steps_are_round(span, step):
    assert round_step(span, 4) == pytest.approx(step)


def test_a_drawing_escapes_its_text():
    drawing = Drawing(10, 10, NASTY)
    drawing.rect((0, 0, 1, 1), "bar", NASTY)
    drawing.text((0, 0), NASTY)
    assert "<script" not in drawing.markup()
    assert drawing.markup().count("&lt;script") == 3


# ---- in a browser ----

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)


def browse(tmp_path: Path, page: str) -> tuple[str, list[str]]:
    """(the document as the browser has it, what it wrote to its console)."""
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [
            *(BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--enable-logging=stderr", "--log-level=0", "--no-first-run", "--disable-background-networking"),
            *(f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="no Chromium here: apt-get install chromium")
def test_a_browser_shows_it_without_complaint(tmp_path, page):
    document, console = browse(tmp_path, page)
    assert console == []
    assert "10 items would run again" in document
    assert document.count("<svg") == 4  # the bar and three charts
    # What the browser would say if a script or a picture had got into the page.
    spoilt = page.replace("</main>", '<script>alert(1)</script><img src="https://example.org/x.png"></main>')
    _, complaints = browse(tmp_path, spoilt)
    assert len(complaints) >= 2
    assert all("Content Security Policy" in line for line in complaints)


# ---- the command ----


def test_the_command_writes_the_file_and_says_where(jobctl, job, tmp_path):
    path = tmp_path / "out" / "report.html"
    refused = jobctl("report", job, "-o", path)
    assert refused.code != 0
    assert "cannot write" in refused.err
    path.parent.mkdir()
    path.write_text("an older one")
    done = jobctl("report", "last", "-o", path)
    assert (done.code, done.out.strip()) == (0, str(path))
    assert "10 items would run again" in Page(path.read_text(encoding="utf-8")).text
    assert [found.name for found in path.parent.iterdir()] == ["report.html"]
    said = jobctl("report", job, "-o", path, "--json").document
    assert (said["path"], said["bytes"]) == (str(path), path.stat().st_size)


def test_the_command_writes_to_standard_output_and_has_a_name_of_its_own(jobctl, job, tmp_path, monkeypatch):
    assert jobctl("report", job, "-o", "-").out.endswith("</html>\n")
    monkeypatch.chdir(tmp_path)
    assert jobctl("report", job).out == "job-1.html\n"
    assert (tmp_path / "job-1.html").exists()
    assert jobctl("report", 99).code == 9
