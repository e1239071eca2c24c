"""The commands of README.md as they stand there, on stand-ins for the programs that they start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

#: Says what it was given; for what a cancel is about, it takes its time.
STAND_IN = """#!/bin/sh
echo "${0##*/}|$CUDA_VISIBLE_DEVICES|$*" >> PLACE/calls
[ ! -e PLACE/slow ] || exec sleep 60
"""
PROGRAMS = ("bin/curl", "bin/convert", "work/import", "work/train")


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
    cli.file("texts.csv", "id,text\n1,one two\n2,three\n")
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


def test_in_the_background(cli, place):
    (place / "slow").touch()
    (block,) = blocks(section("In the background"))
    lines = block.splitlines()
    assert len(lines) >= 8
    for line in lines:
        typed(cli, line)
    status = cli.status("last")
    assert (status["round"], status["done"]) == (2, False)
    cli("daemon", "stop", "--now")


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
    (line,) = re.findall(r"(?m)^15 2 \* \* \*  cd ~/exports && ~/\.local/bin/(jobctl run .*)$", section("Recipes"))
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
    (module,) = blocks(section("Recipes"), "python")
    cli.file("score.py", module)
    typed(cli, blocks(section("Recipes"))[4])
    assert '"{""words"":2}"' in (cli.work / "scored.csv").read_text()


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
