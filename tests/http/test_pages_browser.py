"""The pages in a real browser: they change while a job runs, work by keyboard, and nothing in them acts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobctl.config import Home
from jobctl.http.app import make_app
from jobctl.http.server import Server
from jobctl.render.inert import inert_log
from tests.e2e.conftest import Cli
from tests.http.pages import HOSTILE
from tests.http.serving import serving_app
from tests.wait import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH"),
]
PATIENCE_MS = 60_000
BARRIERS = ("serious", "critical")
#: An item that runs until a file with its number appears, and then says so.
GATE = 'echo "item $0 waits"; while [ ! -e "go-$0" ] && [ ! -e go-all ]; do sleep 0.1; done; echo "item $0 goes"'
SETTINGS = """
[recipe.price]
summary = "Prices <b>each</b> order"
command = ["sh", "-c", "echo priced", "{id}"]
http = true
"""


@dataclass
class Site:
    """A store with a daemon, and its pages."""

    cli: Cli
    url: str
    server: Server
    browser: Browser
    complaints: list[str] = field(default_factory=list)

    def sign_in(self, **options: Any) -> BrowserContext:
        """A window of a person who has opened a link of the server. It notes errors, and requests to other hosts."""
        context = self.browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        context.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", lambda sent: None if sent.url.startswith(self.url) else self.complaints.append(sent.url))
        page = context.new_page()
        page.goto(f"{self.url}/open?key={self.server.doors.sessions.new_link()}")
        assert page.url == f"{self.url}/"
        page.close()
        return context

    def gated(self, name: str, count: int) -> int:
        """A job whose items run until they may end; returns its number."""
        rows = self.cli.file(f"{name}.csv", "id\n" + "".join(f"{name}-{n}\n" for n in range(1, count + 1)))
        return self.cli.submit(rows, "--name", name, "-j", "1", "--", "sh", "-c", GATE, "{id}")

    def open_gate(self, *names: str) -> None:
        """Let items end."""
        for name in names:
            (self.cli.work / f"go-{name}").touch()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Some systems let only root use the sandbox, and some do not let root use it. The pages are our own.
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Site]:
    """One server for the module, with a daemon that runs real items."""
    root = tmp_path_factory.mktemp("site")
    work = root / "work"
    (root / "config" / "jobctl").mkdir(parents=True)
    (root / "config" / "jobctl" / "config.toml").write_text(SETTINGS)
    work.mkdir()
    cli = Cli(root / "home", work)
    try:
        cli("daemon", "start", "--slots", "4")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CONFIG_HOME", str(root / "config"))
            patch.chdir(work)
            server = Server(Home(root / "home"))
            with serving_app(make_app(server), tcp=True, ending=server.changes.close) as client:
                url = f"http://127.0.0.1:{client.base_url.port}"
                server.doors.urls = (url,)
                yield Site(cli, url, server, browser)
    finally:
        cli.close()


@pytest.fixture
def window(site: Site) -> Iterator[BrowserContext]:
    """A window; at its end nothing may have been complained of."""
    site.complaints.clear()
    context = site.sign_in()
    yield context
    context.close()
    assert site.complaints == []


def open_page(context: BrowserContext, site: Site, path: str) -> Page:
    page = context.new_page()
    page.goto(f"{site.url}{path}")
    return page


def share(page: Page) -> int:
    """The share that the bar of a job shows."""
    return int(page.get_by_role("progressbar").first.get_attribute("aria-valuenow") or "-1")


@pytest.fixture(scope="module")
def hostile(site: Site) -> int:
    """A job with texts that would act; every item has failed."""
    text = HOSTILE.replace("\x1b", "").replace('"', "").replace("\u202e", "")
    site.cli.file("hostile.csv", f"id,note\n1,{text}\n2,{text}\n")
    script = 'printf "%s\\n\\033[31mred\\033[0m\\a\\n" "$1"; echo "$1" >&2; exit 3'
    words = ("--name", text[:60], "--attempts", "1", "--", "sh", "-c", script, "{id}", "{note}")
    job = site.cli.submit("hostile.csv", *words)
    site.cli.wait_state(job, "failed")
    return job


def test_no_page_has_a_barrier(site: Site, hostile: int) -> None:
    """axe finds nothing serious on any page, light or dark, wide or on a telephone, and nothing is cut off there."""
    from axe_playwright_python.sync_playwright import Axe

    running = site.gated("axe", 3)
    pages = ("/", f"/jobs/{hostile}", f"/jobs/{running}", f"/jobs/{hostile}/items", f"/jobs/{hostile}/items/1")
    pages += ("/recipes", "/recipes/price", "/jobs/9999")
    contrast, scrolling = {"runOnly": ["color-contrast"]}, {"runOnly": ["scrollable-region-focusable"]}
    looks = (
        ({"color_scheme": "light", "viewport": {"width": 1280, "height": 800}}, {}, pages),
        ({"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}}, contrast, pages[1:5]),
        ({"viewport": {"width": 360, "height": 800}}, scrolling, pages),
    )
    for look, options, shown in looks:
        context = site.sign_in(**look)
        page = context.new_page()
        for path in shown:
            page.goto(f"{site.url}{path}")
            page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
            found = Axe().run(page, options=options).response["violations"]
            barriers = [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in BARRIERS]
            assert barriers == [], f"{path} {look}: {barriers}"
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"
        context.close()
    page = site.browser.new_page()
    page.goto(site.url)
    assert "Sign in" in page.title()
    page.close()
    site.open_gate("axe-1", "axe-2", "axe-3")


def test_texts_of_rows_names_and_outputs_do_not_act(site: Site, window: BrowserContext, hostile: int) -> None:
    for path in (
        "/",
        f"/jobs/{hostile}",
        f"/jobs/{hostile}/items",
        f"/jobs/{hostile}/items/1",
        f"/jobs/{hostile}/items/2",
    ):
        page = open_page(window, site, path)
        assert "window.hit" in page.inner_text("body")
        assert page.evaluate("[window.hit, document.images.length, document.scripts.length]") == [None, 0, 1]
        page.close()
    page = open_page(window, site, f"/jobs/{hostile}/items/1")
    log = page.locator("pre.log").first
    assert "^[[31mred^[[0m^G" in log.inner_text()
    assert log.evaluate("(log) => log.children.length") == 0


def test_the_bar_moves_while_a_job_runs_and_the_reader_keeps_the_place(site: Site, window: BrowserContext) -> None:
    job = site.gated("bar", 4)
    page = open_page(window, site, f"/jobs/{job}")
    assert share(page) == 0
    page.locator("#set > summary").click()
    page.locator("#set-timeout").fill("90")
    page.locator("#set-timeout").focus()
    for done in (1, 2):
        site.open_gate(f"bar-{done}")
        wait_until(lambda least=25 * done: share(page) >= least, what="the bar")
    assert page.evaluate("document.activeElement.id") == "set-timeout"
    assert page.locator("#set-timeout").input_value() == "90"
    assert page.locator("#set").get_attribute("open") is not None
    assert page.title().startswith("50")
    assert "50 % processed" in page.inner_text("#announcement")
    site.open_gate("bar-3", "bar-4")
    page.wait_for_selector("h1 .state.succeeded")
    assert page.title().startswith("succeeded")
    assert page.evaluate("document.activeElement.id") == "content"  # the form is gone, and the focus is near


def test_the_list_shows_a_new_job_without_being_loaded_again(site: Site, window: BrowserContext) -> None:
    page = open_page(window, site, "/")
    job = site.gated("new-in-list", 1)
    page.wait_for_selector(f"#job-{job}")
    site.open_gate("new-in-list-1")
    page.wait_for_selector(f"#job-{job} .state.succeeded")


def test_a_job_is_cancelled_and_retried_by_keyboard(site: Site, window: BrowserContext) -> None:
    job = site.gated("keyboard", 3)
    page = open_page(window, site, f"/jobs/{job}")
    press_until(page, "Cancel")
    page.keyboard.press("Enter")
    press_until(page, f"Cancel job {job}")
    page.keyboard.press("Enter")
    page.wait_for_url("**?said=cancelled")
    assert "The cancel was requested." in page.inner_text("main")
    page.wait_for_selector("h1 .state.cancelled")
    site.open_gate("keyboard-1", "keyboard-2", "keyboard-3")
    press_until(page, "Retry")
    page.keyboard.press("Enter")
    press_until(page, "timeout")
    page.keyboard.type("5m")
    page.keyboard.press("Enter")
    page.wait_for_url("**?said=retried")
    page.wait_for_selector("h1 .state.succeeded")
    status = site.cli.status(job)
    assert (status["round"], status["policy"]["timeout_s"]) == (2, 300)


def press_until(page: Page, name: str) -> None:
    """Press Tab until a control has the focus that has this name, as a person without a mouse does."""
    for _ in range(80):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "(() => { const at = document.activeElement;"
            " return (at.labels?.[0] ?? at).textContent.trim().replace(' (close)', ''); })()"
        )
        if found == name:
            return
    raise AssertionError(f"no control {name!r} within 80 steps")


def test_a_file_that_is_dropped_is_judged_and_then_accepted(site: Site, window: BrowserContext) -> None:
    page = open_page(window, site, "/recipes/price")
    drop(page, "orders.csv", f"id,note\n1,{HOSTILE.replace(chr(34), '')}\n2,b\n")
    page.wait_for_selector("#preview")
    shown = page.inner_text("#preview")
    for words in ("It can be submitted.", "Format csv, 2 rows", "sh -c 'echo priced' 1", "window.hit=1"):
        assert words in shown, words
    assert page.evaluate("[window.hit, document.images.length]") == [None, 0]
    page.get_by_role("button", name="Submit").press("Enter")
    page.wait_for_url("**/jobs/*?said=submitted")
    page.wait_for_selector("h1 .state.succeeded")
    assert "The job was accepted." in page.inner_text("main")


def test_a_bad_file_says_where_it_is_bad(site: Site, window: BrowserContext) -> None:
    page = open_page(window, site, "/recipes/price")
    page.set_input_files("#file", files=[{"name": "bad.csv", "mimeType": "text/csv", "buffer": b"id,a\n1,x\n2\n"}])
    page.wait_for_selector("#preview.problem")
    assert "line 3, record 2" in page.inner_text("#preview")
    site.complaints.clear()  # the browser notes the status 422


def drop(page: Page, name: str, text: str) -> None:
    """Drop a file on the page."""
    files = page.evaluate_handle(
        "([name, text]) => { const found = new DataTransfer();"
        " found.items.add(new File([text], name, {type: 'text/csv'})); return found; }",
        [name, text],
    )
    for kind in ("dragover", "drop"):
        page.dispatch_event("#drop", kind, {"dataTransfer": files})


def test_output_is_continued_while_an_item_runs(site: Site, window: BrowserContext) -> None:
    job = site.gated("log", 1)
    site.cli.wait_state(job, "running")
    page = open_page(window, site, f"/jobs/{job}/items/1")
    wait_until(lambda: "waits" in page.inner_text("pre.log >> nth=0"), what="the first line")
    site.open_gate("log-1")
    wait_until(lambda: "goes" in page.inner_text("pre.log >> nth=0"), what="the next line")
    page.wait_for_selector("h1 .state.succeeded")
    assert page.inner_text("pre.log >> nth=0").splitlines() == ["item log-1 waits", "item log-1 goes"]


def test_output_appears_when_an_item_begins_to_run(site: Site, window: BrowserContext) -> None:
    job = site.gated("begins", 2)
    page = open_page(window, site, f"/jobs/{job}/items/2")
    assert "The item has not run yet." in page.inner_text("#output")
    site.open_gate("begins-1")
    wait_until(lambda: "item begins-2 waits" in page.inner_text("#output"), what="the first line")
    site.open_gate("begins-2")
    wait_until(lambda: "item begins-2 goes" in page.inner_text("#output"), what="the next line")
    page.wait_for_selector("h1 .state.succeeded")


def test_a_page_without_its_server_says_so_and_goes_on_when_it_is_back(site: Site, window: BrowserContext) -> None:
    job = site.gated("lost", 2)
    page = open_page(window, site, f"/jobs/{job}")
    page.route("**/changes", lambda route: route.abort())
    page.reload()
    wait_until(lambda: "Connection lost" in page.inner_text("#connection"), what="the line about the connection")
    site.open_gate("lost-1")
    page.unroute("**/changes")
    wait_until(lambda: page.inner_text("#connection") == "", what="the end of the line about the connection")
    wait_until(lambda: share(page) == 50, what="the bar")
    site.open_gate("lost-2")
    site.complaints.clear()  # the browser notes requests that were cut off


def test_the_pages_work_without_a_script(site: Site) -> None:
    job = site.gated("plain", 2)
    context = site.sign_in(java_script_enabled=False)
    page = open_page(context, site, f"/jobs/{job}")
    page.get_by_role("button", name="Pause").click()
    page.wait_for_url("**?said=paused")
    page.get_by_role("button", name="Resume").click()
    page.wait_for_url("**?said=resumed")
    page.goto(f"{site.url}/recipes/price")
    page.set_input_files("#file", files=[{"name": "a.csv", "mimeType": "text/csv", "buffer": b"id\n1\n"}])
    page.get_by_role("button", name="Check the file").click()
    assert "It can be submitted." in page.inner_text("#preview")
    context.close()
    site.open_gate("plain-1", "plain-2")


def test_a_session_that_ends_is_told_in_every_page(site: Site) -> None:
    context = site.sign_in()
    kept, page = open_page(context, site, "/"), open_page(context, site, "/")
    page.get_by_role("button", name="Sign out").click()
    assert "Sign in" in page.title()
    wait_until(lambda: "The session has ended" in kept.inner_text("#connection"), what="the line about the session")
    context.close()


def test_a_form_of_another_page_does_nothing(site: Site, window: BrowserContext, tmp_path: Path) -> None:
    job = site.gated("forged", 1)
    forged = tmp_path / "forged.html"
    forged.write_text(f'<form method="post" action="{site.url}/jobs/{job}/cancel"><button>Win</button></form>')
    page = window.new_page()
    page.goto(f"file://{forged}")
    page.get_by_role("button").click()
    page.wait_for_load_state()
    assert site.cli.status(job)["state"] in ("queued", "running")
    site.open_gate("forged-1")
    site.complaints.clear()  # of the file, and of the status 401 or 403


def test_output_is_shown_as_the_server_shows_it(site: Site, window: BrowserContext) -> None:
    """The script makes control characters of later output visible in the same way as ``inert_log``."""
    page = open_page(window, site, "/")
    text = "".join(map(chr, (*range(0x250), 0x61C, *range(0x2000, 0x2070), 0x1F600))) + "a\r\nb\rc"
    source = page.evaluate("fetch(document.scripts[0].src).then((answer) => answer.text())")
    function = source[source.index("const CONTROL") : source.index("function followOutput")]
    assert page.evaluate(f"(text) => {{ {function}; return inert(text); }}", text) == inert_log(text)
