"""The options of a daemon, and the command lines of the programs that it consists of."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jobctl.config import Home

_CLUSTER = "cluster."
#: The beginning of the word of a supervisor that names the options that a user gave, and the word of one that is not
#: detached. The supervisor itself does not use them; a restart reads them from its command line.
GIVEN = "given="
FOREGROUND = "foreground=1"
#: The variable that names the GPUs that a process may use.
_DEVICES = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class StartOptions:
    """The options of a daemon; they make the command lines of its supervisor and its engine."""

    home: Home
    slots: int
    scope: int | None = None  # run only this job
    drain: bool = False  # end when no work is left
    in_line: bool = False  # wait until the running daemon has ended
    engine: Sequence[str] = ()  # another program instead of the engine
    spawners: int = 1  # the number of supervisors that share the slots
    cluster: Sequence[str] = ()  # name=value words that name the cluster; none = items run on this machine
    forget_cluster: bool = False  # attempts on another cluster count as interrupted
    given: Sequence[str] = ()  # slots, cluster: options that a user gave, which a restart keeps
    devices: str | None = None  # the GPUs that items may use, unless the environment names them; None = all

    @classmethod
    def from_argv(cls, argv: Sequence[str]) -> StartOptions:
        """The options that an engine finds on its command line."""
        words = dict(word.partition("=")[::2] for word in argv)
        scope = words.get("scope")
        return cls(
            home=Home(Path(words["home"])),
            slots=int(words["slots"]),
            scope=None if scope is None else int(scope),
            drain="drain" in words,
            spawners=int(words.get("spawners", "1")),
            cluster=tuple(word for word in argv if word.startswith(_CLUSTER)),
            forget_cluster="forget_cluster" in words,
        )

    @property
    def store_id(self) -> str:
        """The name of the store on this machine; exactly the processes of the store carry it."""
        status = os.stat(self.home.root)
        return f"{status.st_dev:x}-{status.st_ino:x}"

    def environment(self) -> dict[str, str]:
        """The environment of the supervisor.

        Devices that our environment names take precedence over ``devices``: they may be this user's share.
        """
        named = {} if self.devices is None else {_DEVICES: self.devices}
        return named | dict(os.environ)

    def supervisor_argv(self, *words: str) -> list[str]:
        """The command line of the supervisor; ``words`` are further options."""
        engine = self.engine or python_argv("jobctl.engine.main", *self._engine_words())
        own = (f"lock={self.home.lock}", f"store={self.store_id}", part_word(0, self.spawners))
        line = (GIVEN + ",".join(self.given), *(("line=1",) if self.in_line else ()))
        return [*python_argv("jobctl.supervisor.main"), *own, *words, *line, "--", *engine]

    def _engine_words(self) -> list[str]:
        words = [f"home={self.home.root}", f"slots={self.slots}"]
        if self.scope is not None:
            words.append(f"scope={self.scope}")
        if self.drain:
            words.append("drain=1")
        if self.spawners > 1:
            words.append(f"spawners={self.spawners}")
        if self.forget_cluster:
            words.append("forget_cluster=1")
        return [*words, *self.cluster]


def part_word(number: int, count: int) -> str:
    """The word for a supervisor that is number ``number`` of ``count`` that share slots and folders of jobs."""
    return f"part={number}/{count}"


def python_argv(module: str, *arguments: str) -> list[str]:
    """A command line that runs ``module.main()`` in a bare Python with the module path of this one.

    The new process ignores site and the PYTHON variables: the path has their effects already, and the start takes half
    the time. The collector is off during imports, which leave no garbage.
    """
    path = [os.path.abspath(entry) for entry in sys.path]
    code = f"import gc, sys; gc.disable(); sys.path[:] = {path!r}; from {module} import main; gc.enable(); main()"
    return [sys.executable, "-I", "-S", "-c", code, *arguments]
