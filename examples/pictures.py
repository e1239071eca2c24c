"""Makes the pictures of the README from real jobs in a separate store, with the views of jobctl.

    python examples/pictures.py [FOLDER]

It takes about a minute, because the jobs really run.
"""

from __future__ import annotations

import asyncio
import io
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, RenderableType

from jobctl.config import Home
from jobctl.render.frames import job_frame
from jobctl.render.jobs_table import jobs_table
from jobctl.render.look import Look
from jobctl.render.notices import notices
from jobctl.services.status.document import job_document, list_document
from jobctl.store.opening.open import open_database
from jobctl.tui.app import Top

FOLDER = Path(__file__).with_name("pictures")
#: The fonts that the picture would load from another host.
FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
FOOTER = "q leaves; the work continues"

#: A typical download: most items are quick, some take much longer, some hosts refuse, and some rows are wrong.
_WORK = """\
import random, sys, time
number = int(sys.argv[1])
time.sleep(min(6.0, random.Random(number).lognormvariate(-1.6, 0.8)))
if number % 41 == 0:
    sys.exit(f"curl: (22) The requested URL returned error: {500 + number % 4}")
if number % 97 == 0:
    print(f"invoice {number} has no customer", file=sys.stderr)
    sys.exit(65)
"""


class Store:
    """A store with a daemon that runs while the pictures are made."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = Home(root / "home")
        (root / "fetch").write_text(_WORK, encoding="utf-8")

    def jobctl(self, *words: object) -> None:
        """Run a command of jobctl."""
        command = [sys.executable, "-m", "jobctl", "--home", str(self.home.root), "--quiet", *map(str, words)]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)

    def submit(self, name: str, first: int, last: int, *options: object, command: Sequence[str] = ()) -> None:
        """Submit a job of numbered rows."""
        rows = self.root / f"{name}.csv"
        lines = ["id,url", *(f"{n},https://billing.example.org/{n}.pdf" for n in range(first, last + 1))]
        rows.write_text("\n".join(lines) + "\n", encoding="utf-8")
        words = command or (sys.executable, "-S", str(self.root / "fetch"), "{id}")
        self.jobctl("submit", rows, "--name", name, *options, "--", *words)


def picture(blocks: Sequence[RenderableType], look: Look, title: str) -> str:
    """Return blocks as an SVG that loads nothing and uses the fixed-width font of the reader."""
    console = Console(
        record=True,
        file=io.StringIO(),
        width=look.width,
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        markup=False,
        emoji=False,
    )
    for block in blocks:
        console.print(block)
    svg = console.export_svg(title=title, unique_id=re.sub(r"\W+", "-", title))
    return "\n".join(line.rstrip() for line in FONT_FACE.sub("", svg).splitlines()) + "\n"


async def screenshot(home: Home, *keys: str) -> str:
    """Return ``jobctl top`` after some keys as an SVG that loads nothing."""
    app = Top(home, "jobctl")
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause(1)
        await pilot.press(*keys)
        await pilot.pause(1)
        svg = app.export_screenshot(title="jobctl top")
    return "\n".join(line.rstrip() for line in FONT_FACE.sub("", svg).splitlines()) + "\n"


def make(folder: Path) -> None:
    """Run the jobs and write the pictures."""
    with tempfile.TemporaryDirectory(prefix="jobctl-pictures-") as root:
        store = Store(Path(root))
        store.jobctl("daemon", "start", "--slots", 10)
        try:
            store.submit("thumbnails", 1, 240, command=["true"])
            store.submit("address-check", 1, 100, "--attempts", 1)
            store.jobctl("wait", "1,2", "--timeout", "60s")
            store.submit("nightly-invoices", 1, 1000, "--slots", 8)
            store.submit("reminders", 1, 500, "--after", "nightly-invoices")
            store.submit("archive", 1, 12, "--slots", 2, command=["sleep", "1{id}"])
            store.jobctl("wait", "nightly-invoices", "--timeout", "16s")
            _draw(store, folder)
        finally:
            store.jobctl("cancel", "3,4,5", "--now")
            store.jobctl("daemon", "stop", "--now")


def _draw(store: Store, folder: Path) -> None:
    database = open_database(store.home)
    now = time.time_ns() // 1000
    look = Look(width=100, height=24, color=True)
    document = list_document(database, store.home, now)
    table = [jobs_table(document, look), "", *notices(document, look)]
    live = job_frame(job_document(database, store.home, 3, now), look, FOOTER)
    database.close()
    folder.mkdir(exist_ok=True)
    (folder / "top.svg").write_text(asyncio.run(screenshot(store.home)), encoding="utf-8")
    (folder / "status.svg").write_text(picture(table, look, "jobctl status"), encoding="utf-8")
    (folder / "watch.svg").write_text(picture(live, look, "jobctl status nightly-invoices --watch"), encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
