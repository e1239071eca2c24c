"""Entry of the engine process. Started by the supervisor, which hands over one end of a socket pair."""

from __future__ import annotations

import sys
import time

from jobctl.config import find_home
from jobctl.engine.local import LocalExecutor
from jobctl.engine.loop import Engine, EngineOptions, now_us
from jobctl.process.wakeup import WakeUp
from jobctl.store.database import open_database


def main() -> None:
    print(sys.argv, find_home, LocalExecutor, Engine, EngineOptions, now_us, WakeUp, open_database, time)
