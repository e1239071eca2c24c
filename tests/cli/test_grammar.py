"""Options that are wrong, of every command: what is wrong, the option's own line, and the help of that command."""

from __future__ import annotations

import pytest

from jobctl.cli.app import command_tree

NODES = list(command_tree().walk())
#: Options that every command has are tried at ``jobctl`` and ``jobctl status``, those of run that submit has at submit.
SEEN = {"run": next(node.options for node in NODES if node.name == "submit")}
IN_FULL = ("", "status")
EVERY = [pytest.param(node, id=node.name or "jobctl") for node in NODES]
LEAVES = [pytest.param(node, id=node.name) for node in NODES if not node.children]
INTEGERS = {"--slots", "--attempts", "--sample", "--priority", "--limit", "--lines", "--recycle", "--gpus-per-item"}


def _options(node, *, valued):
    own = node.options if node.name in IN_FULL else node.own_options
    return [o for o in own if bool(o.metavar) == valued and o not in SEEN.get(node.name, ())]


def _refused(jobctl, words, *said):
    done = jobctl(*words)
    assert (done.code, done.out) == (2, ""), (words, done.err)
    for text in said:
        assert text in done.err, (words, done.err)
    assert done.err.startswith("jobctl: ") and len(done.err.splitlines()) <= 4
    return done.err


@pytest.mark.parametrize("node", EVERY)
def test_an_option_without_its_value(jobctl, home, node):
    page = f"jobctl {node.name}".strip() + " --help"
    for option in _options(node, valued=True):
        said = (f"{option.long} needs a value", f"  {', '.join(option.names)} {option.metavar}", page)
        for name in option.names:
            _refused(jobctl, [*node.path, name], f"jobctl: {name} needs a value", *said[1:])
        _refused(jobctl, [*node.path, option.long], *said)
        _refused(jobctl, [*node.path, option.long, "--plain"], *said, "--plain is an option")
        _refused(jobctl, [*node.path, option.long, "--no-such"], *said, f"write {option.long}=--no-such")
        if node.takes_words:
            _refused(jobctl, [*node.path, "rows.csv", option.long, "--", "true"], *said)
        if option.long != "--reason":
            _refused(jobctl, [*node.path, f"{option.long}="], *said, "empty")
            _refused(jobctl, [*node.path, option.long, ""], *said, "empty")
    assert not home.database.exists()


@pytest.mark.parametrize("node", EVERY)
def test_a_flag_with_a_value(jobctl, home, node):
    page = f"jobctl {node.name}".strip() + " --help"
    for option in _options(node, valued=False):
        for value in ("yes", "2", "", "a=b"):
            said = (f"{option.long} takes no value", f"{value!r}", page)
            _refused(jobctl, [*node.path, f"{option.long}={value}"], *said)
        _refused(jobctl, [*node.path, f"{option.long}=OFF"], f"  leave {option.long} out; {page}")
        for name in option.names:
            if not name.startswith("--"):
                _refused(jobctl, [*node.path, f"{name}=1"], f"{name} takes no value", page)
    assert not home.database.exists()


@pytest.mark.parametrize("node", EVERY)
def test_options_that_there_are_not(jobctl, home, node):
    page = f"jobctl {node.name}".strip() + " --help"
    for words in (["--frobnicate"], ["--frobnicate=3"], ["--plain", "--frobnicate"]):
        _refused(jobctl, [*node.path, *words], "no such option: --frobnicate\n", page)
    _refused(jobctl, [*node.path, "-Z"], "no such option: -Z\n", page)
    _refused(jobctl, [*node.path, "-qZv"], "no such option: -Z (in -qZv)", page)
    for option in (*_options(node, valued=True), *_options(node, valued=False)):
        typo = option.long[:-1]
        if typo not in {other.long for other in node.options} and len(typo) > 4:
            _refused(jobctl, [*node.path, typo], f"no such option: {typo}; did you mean", option.long)
        if option.long.startswith("--"):
            _refused(jobctl, [*node.path, option.long[1:]], f"{option.long[1:]}: a long option has two dashes", page)
            _refused(jobctl, [*node.path, f"{option.long[1:]}=5"], "a long option has two dashes", page)
        for name in option.names:
            if option.metavar and not name.startswith("--"):
                said = f"{name}4, {name} 4 or {option.long}=4"
                _refused(jobctl, [*node.path, f"{name}=4"], "after a short option there is no =", said, page)
    assert not home.database.exists()


@pytest.mark.parametrize("node", EVERY)
def test_a_number_is_written_in_digits(jobctl, node):
    reads_rules_late = node.name in ("retry", "undo")  # after the arguments
    for option in _options(node, valued=True) if not reads_rules_late else ():
        for value in ("٣", "1_000", " 5", "x", "1.5", "0x10") if option.long in INTEGERS else ():
            _refused(jobctl, [*node.path, option.long, value], f"{option.long}: {value!r} is not a whole number")


@pytest.mark.parametrize(
    "option", ["--where", "--select", "--resources", "--retry-on", "--new-by", "--queue", "--recipe", "--key"]
)
def test_an_option_that_chooses_is_given_once(jobctl, home, option):
    words = ["submit", "rows.csv", option, "a", "--hold", f"{option}=b", "--", "true"]
    _refused(jobctl, words, f"{option} is given more than once, and only one counts: 'a' and 'b'")
    assert not home.database.exists()


def test_of_other_options_the_last_one_counts_and_a_note_says_so(jobctl, store):
    store.job("qqq")
    done = jobctl("items", "1", "--limit", "1", "-l2")
    assert done.code == 0 and len(done.out.splitlines()) == 3
    assert done.err.startswith("--limit is given more than once; the last one counts: 2\n")
    assert "more than once" not in jobctl("-q", "items", "1", "--limit", "1", "-l2").err
    assert "more than once" not in jobctl("items", "1", "--limit", "2", "-l2").err
    assert jobctl("items", "1", "--state", "failed", "--state", "queued").code == 0


@pytest.mark.parametrize("node", LEAVES)
def test_arguments_that_are_missing_or_too_many(jobctl, node):
    page = f"jobctl {node.name} --help"
    if node.arguments and node.arguments[0].required:
        _refused(jobctl, node.path, f"{node.arguments[0].metavar} is missing", page)
    if not any(argument.multiple for argument in node.arguments) and not node.takes_words:
        words = [*node.path, *(["x"] * len(node.arguments)), "y"]
        _refused(jobctl, words, f"jobctl {node.name} takes no more arguments: 'y' is left over", page)


@pytest.mark.parametrize("node", LEAVES)
def test_help_is_shown_whatever_else_is_wrong(jobctl, node):
    for words in (["--frobnicate", "--help"], ["-h", "--json=1"]):
        done = jobctl(*node.path, *words)
        assert done.code == 0 and f"Usage: jobctl {node.name}" in done.out


def test_the_message_names_the_command_that_has_the_option(jobctl):
    assert "  --joblog is an option of jobctl export; jobctl status --help" in jobctl("status", "--joblog").err
    after = "  --joblog is an option of jobctl export, after the command: jobctl export --joblog; jobctl --help"
    assert after in jobctl("--joblog", "export", "1").err
    late = "after the command: jobctl daemon logs --lines N; jobctl daemon --help"
    assert late in jobctl("daemon", "--lines", "5", "logs").err
    assert "did you mean --watch" in jobctl("status", "--follow").err


def test_a_number_after_watch_is_a_job(jobctl, store):
    store.job("q")
    done = jobctl("status", "--watch", "2")
    assert done.code == 9
    assert "no job 2; the newest is 1\n  --watch takes no interval: a number after it is a JOB\n" in done.err
    assert "interval" not in jobctl("status", "2").err + jobctl("status", "--watch", "nightly").err


def test_the_message_about_a_choice_names_the_words(jobctl):
    assert "--state needs a value, one of queued, running, " in jobctl("items", "9", "--state").err
    assert "--halt needs a value, one of soon, now" in jobctl("submit", "a.csv", "--halt", "--", "true").err


def test_every_option_has_a_line_of_help():
    for node in NODES:
        assert all(option.help for option in node.own_options), node.name
