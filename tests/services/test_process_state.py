"""Services and the store change nothing that belongs to the whole process, in which another front end may run them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import jobctl

ROOT = Path(jobctl.__file__).parent
_CHANGES = re.compile(
    r"os\.umask\(|os\.f?chdir\(|signal\.signal\(|set_wakeup_fd\(|os\.environb?\[[^]]+\] = |os\.putenv|os\.unsetenv"
    r"|environb?\.(?:pop|update|setdefault|clear)\("
)


@pytest.mark.parametrize("package", ["services", "store"])
def test_nothing_belongs_to_the_whole_process(package):
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if _CHANGES.search(line)
    ]
    assert found == []
