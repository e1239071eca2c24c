"""Writes files.csv: real files of this machine, one per row, and a few rows whose file does not exist and must fail.

usage: python3 examples/make_file_list.py [ROWS] [OUTPUT]
"""

import csv
import os
import sys
from pathlib import Path


def real_files(roots: list[str], count: int) -> list[tuple[str, int]]:
    """Return readable regular files below the roots with their sizes, in the order in which they are found."""
    found: list[tuple[str, int]] = []
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if not path.isprintable() or os.path.islink(path) or not os.path.isfile(path):
                    continue
                size = os.path.getsize(path)
                if size < 1 << 20 and os.access(path, os.R_OK):
                    found.append((path, size))
                if len(found) == count:
                    return found
    return found


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    output = Path(sys.argv[2] if len(sys.argv) > 2 else "files.csv")
    files = real_files(["/usr/share", "/usr/lib", sys.prefix], rows)
    missing = [(f"/nowhere/report-{n:03}.txt", 0) for n in range(1, 11)]
    step = max(1, len(files) // (len(missing) + 1))
    for n, row in enumerate(missing, 1):
        files.insert(n * step + n - 1, row)
    with output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "size"])
        writer.writerows(files)
    sys.stdout.write(f"{output}: {len(files)} rows, {len(missing)} of them without a file\n")


if __name__ == "__main__":
    main()
