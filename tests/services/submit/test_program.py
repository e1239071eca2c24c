"""The first word of a command: a program, or a refusal that says what was probably meant."""

from __future__ import annotations

import pytest

from jobctl.errors import UsageError
from jobctl.services.submit.program import CommandContext, check_program


@pytest.fixture
def folder(tmp_path):
    for name in ("curl", "git", "echo", "yes", "true", "rm"):
        _file(tmp_path / "bin" / name, "\x7fELF", 0o755)
    _file(tmp_path / "here" / "rows.csv", "id\n")
    _file(tmp_path / "here" / "more.csv", "id\n", 0o755)
    _file(tmp_path / "here" / "ok.sh", "#!/bin/sh\n", 0o755)
    _file(tmp_path / "here" / "tool.py", "x\n")
    _file(tmp_path / "here" / "dos", "#!/bin/sh\r\n", 0o755)
    _file(tmp_path / "here" / "lost", "#! /no/such -x\n", 0o755)
    _file(tmp_path / "here" / "plain", "echo\n", 0o755)
    _file(tmp_path / "here" / "git", "notes\n")
    _file(tmp_path / "far" / "tool", "#!/bin/sh\n", 0o755)
    (tmp_path / "far" / "inner").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "far" / "inner")
    return tmp_path


def _file(path, text, mode=0o644):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _check(folder, line, *, own="f.csv", separated=True, elsewhere=False):
    place = CommandContext(str(folder / "here"), f"/none:{folder}/bin", own.split(), separated, elsewhere)
    return check_program(line.split(), place)


@pytest.mark.parametrize(
    "line",
    [
        *("curl {}", "{cmd} x", "{}", "./ok.sh -- {}", "./plain", "git checkout -- {}", "rm -- {}", "true -- {}"),
        *("yes", "echo -- echo", "./more.csv", "link/../tool {}"),
    ],
)
@pytest.mark.parametrize("separated", [True, False])
def test_a_program_is_left_alone(folder, line, separated):
    if not (line.startswith("echo -- echo") and not separated):
        assert _check(folder, line, separated=separated) == ""


@pytest.mark.parametrize(
    ("own", "line", "said", "meant"),
    [
        ("a.csv", "rows.csv -- echo {}", "one FILE at a time: 'rows.csv'", "submit each of them"),
        ("a.csv", "more.csv -- echo {}", "one FILE at a time: 'more.csv'", "submit each of them"),
        ("f.csv --max-failures 5", "% -- echo {}", "'%' would be the command", "without a blank: --max-failures 5%"),
        ("f.csv --timeout 5", "m echo {}", "'m' would be the command", "without a blank: --timeout 5m"),
        ("f.csv -n", "2 -- echo {}", "'2' would be the command here, and it is a number", "for slots it is -j 2"),
        ("f.csv --hold", "2 echo {}", "it is a number", "--hold takes no value: leave 2 out"),
        ("f.csv --hold", "yes -- echo {}", "'yes' would be the command here, and echo", "--hold takes no value"),
        ("f.csv --hold", "true -- echo {}", "'true' would be the command here", "--hold takes no value"),
        ("f.csv --hold", "true --slots 2 -- echo {}", "'true' would be the command here, and echo", "--hold takes no"),
        ("f.csv --hold", "yes echo {}", "'yes' would be the command here, and echo", "--hold takes no value"),
        ("f.csv --hold", "no --slots 2 -- echo {}", "'no' would be the command here", "--hold takes no value"),
        ("f.csv --hold", "True -- echo {}", "'True' would be the command here, and echo", "--hold takes no value"),
        ("f.csv --timeout 5", "min -- echo {}", "'min' would be the command", "without a blank: --timeout 5m"),
        ("f.csv --timeout 1.5", "hours echo {}", "'hours' would be the command", "without a blank: --timeout 1.5h"),
        ("f.csv --output-cap 10", "MB -- echo {}", "'MB' would be the command", "without a blank: --output-cap 10M"),
        ("f.csv", "\u2014slots 2 -- echo {}", "begins with a long dash", "write --slots"),
        ("f.csv", "\u2013j 2 -- echo {}", "begins with a long dash", "write -j"),
        ("f.csv", "foo bar -- echo {}", "'foo bar' is before --", "leave it out"),
    ],
)
def test_the_word_where_the_command_begins(folder, own, line, said, meant):
    for elsewhere in (False, True):
        with pytest.raises(UsageError, match=said) as found:
            _check(folder, line, own=own, separated=False, elsewhere=elsewhere)
        assert meant in str(found.value.hint)


@pytest.mark.parametrize(
    ("line", "said", "meant"),
    [
        ("4 echo", "it is a number", "COMMAND"),
        ("--slots 4 echo", "the command begins with '--slots'", "before --"),
        ("FOO=1 echo {}", "'FOO=1' sets a variable", "--env FOO=1"),
        ("cd {}", "'cd' is a word of the shell", "--shell"),
        ("source x", "word of the shell", "--shell"),
        ("ll {}", "word of the shell", "--shell"),
        ("time cat {}", "word of the shell", "--shell"),
        ("mine {}", "word of the shell", "--shell"),
    ],
)
def test_a_word_that_is_never_a_program_is_always_refused(folder, monkeypatch, line, said, meant):
    monkeypatch.setenv("BASH_FUNC_mine%%", "() { :; }")
    for elsewhere in (False, True):
        with pytest.raises(UsageError, match=said) as found:
            _check(folder, line, elsewhere=elsewhere)
        assert meant in str(found.value.hint)


@pytest.mark.parametrize(
    ("line", "said", "meant"),
    [
        (
            "crul {}",
            "no program 'crul' is found on PATH",
            "did you mean curl? if it is there only when the items run: env",
        ),
        ("zzqqxx {}", "no program 'zzqqxx' is found", "env zzqqxx"),
        ("ok.sh {}", "'ok.sh' is not on PATH", "write ./ok.sh"),
        ("./oks.sh {}", "there is no file .*/here/oks.sh", "did you mean ./ok.sh?"),
        (
            "tool.py {}",
            "'tool.py' is a file that may not be executed",
            "chmod +x ./tool.py, then write ./tool.py, or python3",
        ),
        ("./tool.py {}", "may not be executed", "python3 ./tool.py"),
        ("./dos {}", "its first line ends as on Windows", "sed -i"),
        ("./lost {}", "the interpreter /no/such of its first line does not exist", "first line"),
        ("$HOME/x {}", "only a shell replaces a variable after .", "double quotes"),
        ("~/x {}", "a shell expands ~ only without quotes", "/x"),
        ("../here {}", "'../here' is a folder", "the program in it"),
    ],
)
def test_a_word_that_is_not_a_program_here_is_refused_or_reported(folder, line, said, meant):
    with pytest.raises(UsageError, match=said) as found:
        _check(folder, line)
    assert meant in str(found.value.hint)
    assert "an item fails if it is still so when and where it starts" in _check(folder, line, elsewhere=True)


@pytest.mark.parametrize("line", ["yes", "true", "true {}", "yes {}"])
def test_an_answer_alone_is_a_program(folder, line):
    assert _check(folder, line, own="f.csv --hold", separated=False) == ""
    assert _check(folder, f"{line} -- echo", own="f.csv --label x=-y", separated=True) == ""


def test_a_script_behind_the_file_is_not_a_second_file(folder):
    with pytest.raises(UsageError, match=r"'tool\.py' is a file that may not be executed"):
        _check(folder, "tool.py {}", own="f.csv", separated=False)


def test_a_missing_folder_is_left_to_other_checks(folder):
    assert check_program(["crul"], CommandContext(str(folder / "none"), "/none")) == ""
