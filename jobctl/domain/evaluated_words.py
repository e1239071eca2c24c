"""Finds the evaluated words of a command, through wrappers such as ``sudo`` and ``env`` to the inner program."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence

from jobctl.domain.evaluated_shells import capsh, other_shell, posix_shell, powershell, su
from jobctl.domain.evaluators import (
    CODE,
    JAVASCRIPT,
    OTHER_SHELLS,
    POSIX_SHELLS,
    PROGRAMS,
    PYTHON,
    RUNUSER,
    SHELL,
)
from jobctl.domain.program_words import Evaluated, ProgramReader

#: Programs that are recognized behind any other program, because a text follows one of their options.
_BY_OPTION = frozenset(["python", "pypy", "perl", "ruby", "node", "nodejs", "php", "lua"])
_GIT_OPTIONS = frozenset({"--exec", "--extcmd", "--upload-pack", "--receive-pack"})
#: Options of ssh, scp and sftp that run a command on this machine.
_SSH_COMMANDS = r"(?i)(proxycommand|localcommand|knownhostscommand|remotecommand)\b"
_GIT_COMMANDS = (
    r"(?i)alias\.|command|cmd|pager|editor|helper|hook|proxy|textconv|driver|program|askpass|include|fsmonitor|gpg|\{"
)


def evaluated(words: Sequence[str]) -> Iterator[Evaluated]:
    """Words of a command that something evaluates."""
    seen: set[tuple[int, ...]] = set()
    places = [0, *(at for at in range(1, len(words)) if _is_looked_for(words[at]))]
    for at in places:
        for found in _at(words, at):
            if found.words not in seen:
                seen.add(found.words)
                yield found


def _is_looked_for(word: str) -> bool:
    """True if a word is a shell or a language: a program outside of the table may start it, with unknown options."""
    name = name_of(word)
    return name in _SHELLS or name in _BY_OPTION


def name_of(word: str) -> str:
    """A program without path, version and ``.exe``."""
    name = os.path.basename(word).removesuffix(".exe")
    if name in PROGRAMS or name in _CUSTOM or not name[-1:].isdigit():
        return name
    return re.sub(r"-?[0-9]+(\.[0-9]+)*$", "", name)


def _is_assignment(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def _at(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    if at >= len(words):
        return
    while at < len(words) - 1 and _is_assignment(words[at]) and at > 0:
        at += 1
    name = name_of(words[at])
    custom = _CUSTOM.get(name)
    if custom is not None:
        yield from custom(words, at)
    program = PROGRAMS.get(name)
    if program is not None:
        yield from ProgramReader(words, at, program, _at).read()


def _env(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    place = at + 1
    while place < len(words):
        word = words[place]
        if re.match(r"-[^-uC]*S|--s", word):
            rest = len(re.sub(r"^(-[^-uC]*?S|--s[a-z-]*=?)", "", word)) > 0
            yield Evaluated((place if rest else min(place + 1, len(words) - 1),), CODE, words[at], "-S")
            place += 1 if rest else 2
            continue
        if word in ("-u", "-C", "--unset", "--chdir"):
            place += 1
        elif not word.startswith("-") and not (_is_assignment(word) or word.startswith("{")):
            yield from _at(words, place)
            return
        place += 1


def _find(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    starts = {"-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"}
    for place in range(at + 1, len(words)):
        if words[place] in starts:
            end = next((p for p in range(place + 1, len(words)) if words[p] in (";", "+")), len(words))
            yield from _at(words[:end], place + 1)


def _ssh_options(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """``-o ProxyCommand=...`` runs here, at any place among the options. A remote command follows the host."""
    for place in range(at + 1, len(words)):
        word = words[place]
        if word.startswith("-o") and re.match(_SSH_COMMANDS, word[2:].strip()):
            yield Evaluated((place,), CODE, words[at], "-o")
        elif word == "-o" and place + 1 < len(words) and re.match(_SSH_COMMANDS, words[place + 1].strip()):
            yield Evaluated((place + 1,), CODE, words[at], "-o")


def _make(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """A variable given to make is expanded, so that ``$(shell ...)`` in it runs, and goes into recipes as it is."""
    for place in range(at + 1, len(words)):
        if re.match(r"[A-Za-z_][\w.-]*[:?+!]*=|--eval|-E", words[place]) or words[place - 1] in ("--eval", "-E"):
            yield Evaluated((place,), CODE, words[at])


def _git(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """Settings that are commands, and options that take one. A line of ``rebase --exec`` is not a word of a shell."""
    for place in range(at + 1, len(words)):
        word, before = words[place], words[place - 1]
        if before == "-c" and (re.search(_GIT_COMMANDS, word.partition("=")[0]) or "=!" in word or "=" not in word):
            yield Evaluated((place,), CODE, words[at], "-c")
        elif before in _GIT_OPTIONS or (before == "-x" and {"rebase", "difftool"} & set(words[at:place])):
            yield Evaluated((place,), CODE, words[at], before)
        elif word.startswith("--") and "=" in word and word.partition("=")[0] in _GIT_OPTIONS:
            yield Evaluated((place,), CODE, words[at], word.partition("=")[0])
        elif before.endswith("-filter"):
            yield Evaluated((place,), SHELL, words[at], before)
        elif before == "foreach" and "submodule" in words[at:place]:
            yield Evaluated(tuple(range(place, len(words))), SHELL, words[at], "submodule foreach")
        elif before == "run" and words[place - 2] == "bisect":
            yield from _at(words, place)


def _cloud_ssh(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """``gcloud compute ssh HOST -- words``: they go to ssh, which hands them to a shell."""
    if "ssh" in words[at:] and "--" in words[at:]:
        begin = list(words).index("--", at) + 1
        yield Evaluated(tuple(range(begin, len(words))), SHELL, f"{words[at]} ssh")


def _redis(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    for place in range(at + 2, len(words)):
        if words[place - 1].lower() in ("eval", "eval_ro", "--eval"):
            yield Evaluated((place,), CODE, words[at], words[place - 1])


def _socat(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    for place in range(at + 1, len(words)):
        if re.match(r"(exec|system|shell):", words[place], re.IGNORECASE):
            yield Evaluated((place,), CODE, words[at])


def _deno(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    if "eval" in words[at + 1 :]:
        begin = list(words).index("eval", at + 1) + 1
        for place in range(begin, len(words)):
            yield Evaluated((place,), JAVASCRIPT, words[at], "eval")


def _python(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """Modules that run their argument: ``python -m timeit TEXT``, ``python -m pdb -c TEXT``."""
    for place in range(at + 1, len(words)):
        module = re.fullmatch(r"-[bBdEhiIOPqsSuvVx]*m(.*)", words[place])
        if module:
            name = module[1] or (words[place + 1] if place + 1 < len(words) else "")
            begin = place + (1 if module[1] else 2)
            options = _MODULES.get(name)
            for operand in range(begin, len(words)) if options is not None else ():
                if not options or words[operand - 1] in options or words[operand].startswith(options):
                    yield Evaluated((operand,), PYTHON, words[at], f"-m {name}")
        if module or not words[place].startswith("-"):
            return


def _container(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """``docker run --entrypoint sh IMAGE -c TEXT``: the words after the image are those of the program."""
    for place in range(at + 1, len(words)):
        option, equals, program = words[place].partition("=")
        if option == "--entrypoint":
            program = program if equals else "".join(words[place + 1 : place + 2])
            begin = place + (1 if equals else 2)
            for image in range(begin, len(words)):
                for found in _at([program, *words[image + 1 :]], 0) if program else ():
                    yield found._replace(words=tuple(image + word for word in found.words))
            return


def _bsub(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """LSF makes one text of the command; which of its many options take a value is not known here."""
    first = next((place for place in range(at + 1, len(words)) if not words[place].startswith("-")), len(words))
    yield Evaluated(tuple(range(first, len(words))), SHELL, words[at])


def _heroku(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    if "run" in words[at + 1 : at + 2] or "run:detached" in words[at + 1 : at + 2]:
        yield Evaluated(tuple(range(at + 2, len(words))), SHELL, words[at], "run")


def _aws(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """``ssm send-command`` and ``ecs execute-command`` run a text on another machine."""
    for place in range(at + 2, len(words)):
        option = words[place - 1]
        if (option == "--parameters" and "ssm" in words[at:place]) or option == "--command":
            yield Evaluated((place,), CODE, words[at], option)


def _runuser(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """With ``-u`` it starts a command as sudo does; without it, it reads its words as su does."""
    direct = any(re.match(r"-u|--user", word) for word in words[at + 1 :])
    yield from ProgramReader(words, at, RUNUSER if direct else PROGRAMS["su"], _at).read()
    yield from su(words, at)


def _yq(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    """The expression follows the name of its action, if there is one."""
    for place in range(at + 2, len(words)):
        if words[place - 1] in ("e", "ea", "eval", "eval-all"):
            yield Evaluated((place,), CODE, words[at])


def _screen(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    if "-X" in words[at + 1 :]:
        for place in range(list(words).index("-X", at + 1) + 1, len(words)):
            yield Evaluated((place,), CODE, words[at], "-X")


def _vi(words: Sequence[str], at: int) -> Iterator[Evaluated]:
    for place in range(at + 1, len(words)):
        if words[place].startswith("+"):
            yield Evaluated((place,), CODE, words[at], "+")


_POSIX = frozenset(POSIX_SHELLS.split())
_OTHERS = frozenset(OTHER_SHELLS.split())
_SHELLS = _POSIX | _OTHERS | {"pwsh", "powershell"}
_Finder = Callable[[Sequence[str], int], Iterator[Evaluated]]
#: For each module of Python, the options that a text follows; without options, every word is a text.
_MODULES: dict[str, tuple[str, ...]] = {"timeit": (), "pdb": ("-c", "--command"), "code": ("-c",), "IPython": ("-c",)}
_PYTHONS = ("python", "pypy", "ipython")
_CONTAINERS = ("docker", "podman", "nerdctl", "docker-compose", "podman-compose", "kubectl", "oc")
#: Programs whose syntax no row of the table can describe.
_CUSTOM: dict[str, _Finder] = {
    **dict.fromkeys(_POSIX, posix_shell),
    **dict.fromkeys(_OTHERS, other_shell),
    **dict.fromkeys(["ssh", "autossh", "slogin", "scp", "sftp"], _ssh_options),
    **dict.fromkeys(["make", "gmake", "bmake"], _make),
    **dict.fromkeys(["find", "fd", "fdfind", "gfind"], _find),
    **dict.fromkeys(["vi", "vim", "nvim", "view", "ex", "gvim", "less"], _vi),
    **dict.fromkeys(_PYTHONS, _python),
    **dict.fromkeys(_CONTAINERS, _container),
    "bsub": _bsub,
    "heroku": _heroku,
    "aws": _aws,
    "env": _env,
    "git": _git,
    "socat": _socat,
    "redis-cli": _redis,
    "gcloud": _cloud_ssh,
    "az": _cloud_ssh,
    "deno": _deno,
    "capsh": capsh,
    "su": su,
    "runuser": _runuser,
    "yq": _yq,
    "pwsh": powershell,
    "powershell": powershell,
    "screen": _screen,
}
