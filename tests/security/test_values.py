"""Row values are data: S1 no shell, S2 no options, S3 no half-accepted rows, S9 no paths, S10 no formulas."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path

import pytest

VALUES = 10_000
COLUMNS = 20
#: What has meant something to some shell, template, terminal or spreadsheet.
FRAGMENTS = (
    "; touch canary", "$(touch canary)", "`touch canary`", "| touch canary", "&& touch canary", "\ntouch canary\n",
    "${IFS}", "$HOME", "$1", "$'\\x41'", "'", '"', "'\"'\"'", "\\", "\\'", "\r\n", "\r", "\n", "\t", " ", "  ", "-rf",
    "--help", "-", "--", "{}", "{c1}", "{{", "}}", "{#}", "{%}", "{/}", "*", "?[a-z]",
    "~", "~root", "!!", "#", "=cmd|'/c calc'!A0",
    "%s%n", "\x1b]0;title\a", "\x1b[2J", "\x9b31m", "[red]bold[/red]", "a[$(touch canary)]", "x=1",
    "() { :; }; touch canary",
    "../../etc/passwd", "/", ".", "\u202e", "\ufeff", "\u2028", "ünï¢ødé", "\U0001f600", "\x7f", "\x01", "é", "，", "",
)  # fmt: skip


def hostile_values(count: int, seed: int = 1) -> list[str]:
    """Fragments alone, then any of them in a row."""
    chance = random.Random(seed)
    made = list(FRAGMENTS)
    while len(made) < count:
        made.append("".join(chance.choices(FRAGMENTS, k=chance.randint(1, 5))))
    return made[:count]


def write_table(path: Path, values: list[str]) -> list[list[str]]:
    """The values as rows of a CSV file."""
    rows = [values[at : at + COLUMNS] for at in range(0, len(values), COLUMNS)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow([f"c{number}" for number in range(1, COLUMNS + 1)])
        writer.writerows(rows)
    return rows


def outputs(cli, job: int) -> list[bytes]:
    """The output of each item of a job."""
    found = cli.rows("SELECT log, out_off, out_len FROM attempts WHERE job = ? ORDER BY item", job)
    read = []
    for log, offset, length in found:
        with (cli.home.job_logs(job) / f"{log}.out").open("rb") as file:
            file.seek(offset)
            read.append(file.read(length))
    return read


def expected(rows: list[list[str]]) -> list[bytes]:
    return [b"".join(value.encode() + b"\0" for value in row) for row in rows]


def no_canary(cli) -> bool:
    return not any(path.name == "canary" for path in cli.work.rglob("*"))


def test_s1_ten_thousand_hostile_values_reach_argv_byte_for_byte(cli):
    rows = write_table(cli.work / "rows.csv", hostile_values(VALUES))
    words = [f"{{c{number}}}" for number in range(1, COLUMNS + 1)]
    cli("run", "rows.csv", "-q", "-j", 4, "--", "/usr/bin/printf", "%s\\0", *words)
    assert outputs(cli, 1) == expected(rows)
    assert no_canary(cli)


def test_s1_ten_thousand_hostile_values_pass_a_shell_byte_for_byte(cli):
    rows = write_table(cli.work / "rows.csv", hostile_values(VALUES, seed=2))
    places = ("{{c{0}}}", '"{{c{0}}}"')
    words = " ".join(places[number % 2].format(number) for number in range(1, COLUMNS + 1))
    cli("run", "rows.csv", "-q", "-j", 4, "--shell", f"printf '%s\\0' {words}")
    assert outputs(cli, 1) == expected(rows)
    assert no_canary(cli)


@pytest.mark.parametrize("program", ["bash", "dash"])
def test_s1_hostile_values_pass_a_script_in_argv_when_they_are_quoted(cli, program):
    rows = write_table(cli.work / "rows.csv", hostile_values(2_000, seed=4))
    words = " ".join(f"{{c{number}:q}}" for number in range(1, COLUMNS + 1))
    cli("run", "rows.csv", "-q", "-j", 4, "--", "env", program, "-euc", f"printf '%s\\0' {words}")
    assert outputs(cli, 1) == expected(rows)
    assert no_canary(cli)


def test_s1_every_line_of_a_list_is_one_argument(cli):
    values = [value for value in hostile_values(400, seed=3) if not set(value) & set("\n\r")]
    lines = [value for value in values if value.encode().strip(b" \t")]  # what has nothing but blanks in it is left out
    (cli.work / "rows.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
    cli("run", "rows.txt", "-q", "--", "/usr/bin/printf", "%s\\0%s\\0", "{}", "<{}>")
    lines[0] = lines[0].removeprefix("\ufeff")
    assert outputs(cli, 1) == [f"{line}\0<{line}>\0".encode() for line in lines]
    assert no_canary(cli)


@pytest.mark.parametrize(
    "words",
    [
        ("--shell", "echo '{c1}'"),
        ("--shell", "echo 'a {c1} b' {c2}"),
        ("--", "sh", "-c", "echo {c1}"),
        ("--", "bash", "-ec", "echo {c1}"),
        ("--", "bash", "-euo", "pipefail", "-c", "echo {c1}"),
        ("--", "ssh", "host", "cat {c1}"),
    ],
)
def test_s1_a_value_that_would_be_shell_text_is_refused_at_submit(cli, words):
    write_table(cli.work / "rows.csv", hostile_values(COLUMNS))
    refused = cli("submit", "rows.csv", *words, check=2)
    assert "c1" in refused.stderr or "as shell text" in refused.stderr
    assert not cli.home.database.exists() or cli.rows("SELECT count(*) FROM jobs") == [(0,)]


def test_s2_a_value_is_never_an_option_where_the_command_says_so(cli):
    names = ["-rf", "--help", "--output=x", "-", "--"]
    cli.file("rows.txt", "".join(f"{name}\n" for name in names))
    (cli.work / "made").mkdir()
    cli("run", "rows.txt", "-q", "-C", cli.work / "made", "--", "touch", "--", "{}")
    assert sorted(path.name for path in (cli.work / "made").iterdir()) == sorted(set(names) - {"-"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,v\n1,ok\n2,a\0b\n", "NUL"),
        (b"id,v\n1,ok\n2,\xff\xfe\n", "UTF-8"),
        (b"id,v\n1,ok\n2," + b"x" * 200_000 + b"\n", "200,000"),
    ],
    ids=["nul", "invalid-utf-8", "oversize"],
)
def test_s3_what_no_argument_can_be_is_told_with_its_line_and_nothing_is_accepted(cli, content, said):
    (cli.work / "rows.csv").write_bytes(content)
    refused = cli("submit", "rows.csv", "--", "echo", "{v}", check=7)
    assert said in refused.stderr and "line 3" in refused.stderr
    assert not cli.home.database.exists()


NAMES = ("../../escaped", "/tmp/escaped", "a/b", "x" * 300, ".", "..", "-rf", "\x1b]0;x\a", "CON", "a\nb")


def test_s9_no_name_or_value_becomes_part_of_a_path(cli):
    before = set(cli.work.parent.rglob("*"))
    with (cli.work / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["../../column", "key"])
        writer.writerows([[name, f"k{number}"] for number, name in enumerate(NAMES)])
    for number, name in enumerate(NAMES, 1):
        queue = ("--queue", "q", "--new-queue")
        given = ("--name", name, "--key", f"{name}{number}", "--item-key", "key", *queue, "--label", "a=../x")
        done = cli("run", "rows.csv", "-q", *given, "--", "true", check=None)
        assert done.returncode in (0, 2), done.stderr
    made = {path for path in set(cli.work.parent.rglob("*")) - before if path.is_file()} - {cli.work / "rows.csv"}
    for path in (path.relative_to(cli.home.root) for path in made):
        if path.parts[0] in ("logs", "results"):
            assert path.parts[1].isdigit() and len(path.parts) == 3
            assert path.name.split(".")[0] in ("succeeded", "failed", "unprocessed", "manifest") or path.stem.isdigit()
        else:
            assert len(path.parts) == 1


FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "=cmd|'/c calc'!A0", "＝1+1", "－2+3")
NUMBERS = ("-1.5", "+2", "-3e4", "7")


def test_s10_formulas_of_items_are_made_harmless_and_the_input_is_not_touched(cli):
    with (cli.work / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["v"], *([value] for value in (*FORMULAS, *NUMBERS))])
    script = 'printf "%s\\n" "$1"; case $1 in *[+@=＝－]*) printf "%s\\n" "$1" >&2; exit 65;; esac'
    cli("run", "rows.csv", "-q", "--", "sh", "-c", script, "sh", "{v}", check=3)
    rows = {}
    for kind in ("succeeded", "failed"):
        with (cli.home.job_results(1) / f"{kind}.csv").open(newline="", encoding="utf-8") as file:
            rows |= {row["v"]: row for row in csv.DictReader(file)}
    assert set(rows) == {*FORMULAS, *NUMBERS}, "the columns of the input are as they were"
    for value in FORMULAS:
        for column in ("jobctl_output", "jobctl_error_message"):
            cell = rows[value].get(column)
            assert not cell or cell[0] not in "=+-@\t\r＝＋－＠", (column, cell)
    for value in NUMBERS:
        assert rows[value]["jobctl_output"] == value, "a number stays one"


def test_s10_json_lines_are_left_alone(cli):
    (cli.work / "rows.jsonl").write_text("".join(json.dumps({"v": value}) + "\n" for value in FORMULAS))
    cli("run", "rows.jsonl", "-q", "--", "printf", "%s", "{v}")
    lines = (cli.home.job_results(1) / "succeeded.jsonl").read_text().splitlines()
    assert [json.loads(line)["v"] for line in lines] == list(FORMULAS)
    assert [json.loads(line)["_jobctl"]["output"] for line in lines] == [value.strip() for value in FORMULAS]
