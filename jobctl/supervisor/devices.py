"""The GPUs of this machine, lent to items so that no two of them see the same one."""

from __future__ import annotations

import os

VARIABLE = b"CUDA_VISIBLE_DEVICES"


class FreeDevices:
    """The devices that this process may use: those in its CUDA_VISIBLE_DEVICES, otherwise all that the machine has."""

    def __init__(self, environ: os._Environ[bytes] = os.environb, folder: str = "/dev") -> None:
        given = environ.get(VARIABLE)
        if given is None:
            names = os.listdir(folder) if os.path.isdir(folder) else []
            numbers = (name.removeprefix("nvidia") for name in names if name.startswith("nvidia"))
            self._free = sorted((b"%d" % int(n) for n in numbers if n.isdigit()), key=int)
        else:
            once = dict.fromkeys(name.strip() for name in given.split(b","))  # a name that occurs twice is one device
            self._free = [name for name in once if name not in (b"", b"-1")]
        self.total = len(self._free)
        self._places = {name: place for place, name in enumerate(self._free)}

    def take(self, count: int) -> tuple[bytes, ...] | None:
        """Take the first ``count`` free devices; None while not enough are free."""
        if count > len(self._free):
            return None
        taken = tuple(self._free[:count])
        del self._free[:count]
        return taken

    def explain_shortage(self, count: int) -> str:
        """The reason why an item that needs ``count`` devices cannot start, and the setting that names devices."""
        needs = f"it needs {count} GPU{'' if count == 1 else 's'}"
        if self.total:
            return f"{needs}, and there {'is 1' if self.total == 1 else f'are {self.total}'} here"
        return f"{needs}, and none is found here: name them in the setting daemon.gpus, then start the daemon again"

    def give_back(self, devices: tuple[bytes, ...]) -> None:
        """Free these devices; the order in which they were named stays."""
        self._free = sorted([*devices, *self._free], key=self._places.__getitem__)
