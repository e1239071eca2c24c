"""Every command that shows what items said shows it, whatever it is."""

from __future__ import annotations

import json

from tests.engine.test_item_text import HOSTILE

ITEM = """
import sys
data = open(f"out-{sys.argv[1]}", "rb").read()
for stream in (sys.stdout, sys.stderr):
    stream.buffer.write(data)
sys.exit(1)
"""
DEEP = """
def f(id):
    value = 1
    for _ in range(int(id)):
        value = [value]
    return value
"""


def test_all_commands_show_hostile_text(cli):
    for number, data in enumerate(HOSTILE, 1):
        (cli.work / f"out-{number}").write_bytes(data)
    cli.file("item.py", ITEM)
    cli.file("rows.txt", "".join(f"{n}\n" for n in range(1, len(HOSTILE) + 1)))
    cli.file("good.txt", "1\n2\n3\n")
    cli("daemon", "start", "-j", "2")
    job = cli.submit("rows.txt", "--attempts", "1", "--on-done", "cat > told.json", "--", "python3", "item.py", "{}")
    good = cli.submit("good.txt", "--", "true")
    cli("wait", job, check=None)
    cli("wait", good)
    for words in (
        ("status",),
        ("status", job),
        ("items", job),
        ("explain", f"{job}.1"),
        ("explain", job),
        ("logs", job, "--failed"),
        ("results", job),
        ("export", job, "--joblog"),
        ("verify", job),
        ("report", job, "-o", "report.html"),
        ("metrics",),
        ("daemon", "logs"),
    ):
        done = cli(*words, check=None)
        assert done.returncode in (0, 4), (words, done.stderr)
        assert "bug in jobctl" not in done.stderr
    for words in (("status", job), ("items", job), ("explain", f"{job}.1"), ("results", job)):
        json.loads(cli(*words, "--json", check=None).stdout)


def test_results_of_any_depth_are_shown_and_written(cli):
    cli.file("deep.py", DEEP)
    depths = (1, 200, 201, 900, 980)
    cli.file("rows.csv", "id\n" + "".join(f"{depth}\n" for depth in depths))
    cli("daemon", "start", "-j", "1")
    job = cli.submit("rows.csv", "--call", "deep:f", "--attempts", "1")
    cli("wait", job, check=None)
    items = json.loads(cli("items", job, "--json").stdout)["items"]
    assert {item["state"] for item in items[:4]} == {"succeeded"}
    assert [type(item["result"]) for item in items[:4]] == [list, list, str, str]
    cli("items", job)
    cli("explain", f"{job}.4", check=None)
    cli("verify", job, check=None)
