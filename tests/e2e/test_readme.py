"""The commands of README.md as they stand there, on stand-ins for the programs that they start."""

from __future__ import annotations

import json
import re
import socket
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

#: Says what it was given; for what a cancel is about, it takes its time.
STAND_IN = """#!/bin/sh
echo "${0##*/}|$CUDA_VISIBLE_DEVICES|$*" >> PLACE/calls
[ ! -e PLACE/slow ] || exec sleep 60
"""
PROGRAMS = ("bin/curl", "bin/convert", "work/import", "work/train", "work/book", "work/cancel", "work/other")


def section(title: str) -> str:
    return re.split(r"(?m)^## ", README.partition(f"\n## {title}\n")[2])[0]


def blocks(text: str, language: str = "sh") -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text)


@pytest.fixture
def place(cli, tmp_path):
    """Everything that the examples speak of."""
    work = cli.work
    (tmp_path / "bin").mkdir()
    for name in PROGRAMS:
        path = tmp_path / name
        path.write_text(STAND_IN.replace("PLACE", str(tmp_path)))
        path.chmod(0o755)
    program = tmp_path / "bin" / "jobctl"
    program.write_text("#!/bin/sh\nexec " + " ".join(f"'{word}'" for word in cli.program) + ' "$@"\n')
    program.chmod(0o755)
    (work / "photos").mkdir()
    for n in range(5):
        (work / "photos" / f"a picture {n}.jpg").touch()
    cli.file("urls.csv", "id,url\n" + "".join(f"{n},https://example.org/{n}\n" for n in range(1, 31)))
    cli.file("export.csv", "id\n1\n2\n3\n")
    cli.file("models.txt", "".join(f"model-{n}\n" for n in range(8)))
    cli.file("large.txt", "".join(f"large-{n}\n" for n in range(3)))
    cli.env["PATH"] = f"{tmp_path}/bin:{cli.env['PATH']}"
    return tmp_path


def calls(place):
    """(program, device, arguments) of every start of a stand-in."""
    path = place / "calls"
    return [line.split("|") for line in path.read_text().splitlines()] if path.exists() else []


def typed(cli, text):
    done = cli.shell(text)
    assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout


#: Item 1 is quick, some say "busy" and fail, and the others exceed their limit.
NIGHTLY = "case $1 in 1) ;; [2-9]) echo busy; exit 22 ;; *) exec sleep 60 ;; esac"


def test_every_day(cli, place):
    cli.file("nightly.txt", "".join(f"{n}\n" for n in range(1, 21)))
    commands = blocks(section("Every day"))[0]
    cli("daemon", "start", "--slots", "4")
    limits = ("--attempts", "1", "--timeout", "1s")
    nightly = cli.submit("nightly.txt", *limits, "--name", "nightly", "--", "sh", "-c", NIGHTLY, "_", "{}")
    cli("wait", nightly, check=3)
    said = {" ".join(line.split()[1:4]): typed(cli, line) for line in commands.splitlines()}
    assert "nightly\tpartial" in said["status --state failed,partial"]
    assert "exit_22" in said["causes nightly #"] and "busy" in said["causes nightly #"]
    assert said["logs nightly --cause"].count("busy\n") == 8
    policy = cli.status(nightly)["policy"]
    assert (policy["timeouts_s"], policy["slots"]) == ([300.0, 1200.0], 4)
    assert cli.status("last")["input"]["resubmit_of_job"] == nightly
    cli("cancel", "1,2", "--now", check=None)


def test_undo(cli, place):
    cli.file("orders.csv", "id\n1\n2\n3\n")
    book, undo = blocks(section("Every day"))[1].splitlines()
    for line in (book, undo):
        typed(cli, line)
        cli("daemon", "run", "--drain", "--slots", "1")  # one after the other, so that the order is the same every time
    assert [(name, words) for name, _, words in calls(place)][3:] == [("cancel", "3"), ("cancel", "2"), ("cancel", "1")]
    assert cli.status("booking")["undo"]["undone"] == 3


def test_thumbnails_and_downloads(cli, place):
    thumbnails, downloads, *_ = blocks(section("Recipes"))
    typed(cli, thumbnails)
    assert min(calls(place)) == [
        "convert",
        "",
        "photos/a picture 0.jpg -resize 400x400 thumbs/a picture 0.webp",
    ]
    assert len(calls(place)) == 5
    typed(cli, downloads.replace("10/s", "1000/s"))
    typed(cli, downloads.replace("10/s", "1000/s"))  # nothing is fetched again
    fetched = [arguments for name, _, arguments in calls(place) if name == "curl"]
    assert min(fetched) == "-fsS -o out/1.pdf https://example.org/1"
    assert len(fetched) == 30
    assert cli.status("last")["counts"]["skipped"] == 30


def test_the_line_for_cron(cli, place):
    (line,) = re.findall(
        r"(?m)^15 2 \* \* \*  cd ~/exports && ~/\.local/bin/(jobctl run .*)$", section("Five things to do")
    )
    assert not re.search(r"(?<!\\)%", line)
    command = line.replace("\\%", "%")  # as cron reads it; tests/e2e/test_cron.py has the whole line run by cron
    assert typed(cli, command) == typed(cli, command) == ""
    assert sorted(arguments for _, _, arguments in calls(place)) == ["1", "2", "3"]


def test_a_device_for_each_item(cli, place):
    one, two = blocks(section("Recipes"))[2].splitlines()
    cli.env["CUDA_VISIBLE_DEVICES"] = "2,5"
    typed(cli, one)
    assert len(calls(place)) == 8
    assert {(device, words.rsplit(" ", 1)[0]) for _, device, words in calls(place)} <= {
        ("2", "--device cuda:0"),
        ("5", "--device cuda:0"),
    }
    typed(cli, two)
    cli("daemon", "run", "--drain")
    assert [device for _, device, words in calls(place) if words.startswith("--devices")] == ["2,5"] * 3


def test_a_function(cli, place):
    (module,) = blocks(section("Five things to do"), "python")
    cli.file("score.py", module)
    cli.file("naps.csv", "id,seconds\n1,0.4\n2,3\n")
    typed(cli, blocks(section("Five things to do"))[-1])
    assert '"{""long"":true}"' in (cli.work / "scored.csv").read_text()


@pytest.mark.slow
def test_from_a_program(cli):
    """The blocks do what they say, one after the other, in the folder of the five things."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    naps = blocks(section("Five things to do"))[0]
    typed(cli, naps.splitlines()[0])
    cli.file("score.py", blocks(section("Five things to do"), "python")[0])
    text = section("From a program")
    cli.file("nightly.py", blocks(text, "python")[0])
    cli.file("jobctl.toml", blocks(text, "toml")[0])
    said = typed(cli, f"{sys.executable} nightly.py")
    assert said == "job 1: 100 of 100 succeeded\n4 of them slept long\n"
    events, http = blocks(text)
    first, second = (typed(cli, line) for line in events.splitlines())
    assert first.splitlines()[-1].split("\t")[2] == "job.succeeded"
    assert [json.loads(line)["id"] for line in second.splitlines()] == [*range(3, 104)]
    cli("daemon", "start", "--slots", "8")
    http = http.replace("serve >", f"serve --listen 127.0.0.1:{port} >").replace("8421", str(port))
    said = typed(cli, f"{http}kill $!; wait $! || true")
    answer, link = re.fullmatch(r"(?s).*?(\{.*\})\n?(http\S+)\n", said).groups()  # the answer does not end a line
    counts = json.loads(answer)["counts"]
    assert (counts["succeeded"], counts["failed"]) == (96, 4)
    assert link.startswith(f"http://127.0.0.1:{port}/")


def test_pictures_are_there_and_load_nothing():
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", README)
    assert len([name for name in pictures if name.startswith("examples/pictures/")]) >= 2
    for name in pictures:
        svg = (ROOT / name).read_text(encoding="utf-8")
        shown = "xargs" if name.startswith("benchmarks/") else "nightly-invoices"
        assert svg.startswith("<svg") and shown in svg.replace("&#160;", " ")
        assert "@font-face" not in svg and "url(http" not in svg and "<script" not in svg


def test_the_example_of_devices(cli, place):
    cli.env["CUDA_VISIBLE_DEVICES"] = "2,5"
    typed(cli, f"{ROOT}/examples/devices.sh models.txt large.txt")
    given = [(device, words.split()[0]) for _, device, words in calls(place)]
    assert {device for device, option in given if option == "--device"} <= {"2", "5"}
    assert [device for device, option in given if option == "--devices"] == ["2,5"] * 3
    assert len(given) == 8 + 3
