"""The packages that jobctl needs: an error names a package that is missing, broken or of a wrong version.

This module imports only the standard library, and little of it: it runs before the command line is loaded, and after
loading has failed.
"""

from __future__ import annotations

import sys
from typing import Any

from jobctl.errors import JobctlError

#: Package -> (first version that is good, first one that is not); as in pyproject.toml, to which a test compares it.
NEEDS: dict[str, tuple[str, str | None]] = {
    "typer": ("0.26", "0.29"),
    "rich": ("13.9", None),
    "sqlmodel": ("0.0.24", None),
    "platformdirs": ("4.3", None),
    "orjson": ("3.10", None),
    "pysqlite3": ("0.6.1", None),
}
_PARTS = 3


class WrongPackage(JobctlError):
    """A package that jobctl needs is missing or does not fit."""

    code = "package"


def check_typer() -> None:
    """Raises WrongPackage unless typer is one that the command line works with. Others fail, or misread options."""
    import typer

    version = getattr(typer, "__version__", None)
    if not isinstance(version, str):
        raise _in_place_of("typer", typer)
    problem = _unfit("typer", version)
    if problem is not None:
        raise problem


def explain(error: BaseException) -> JobctlError | None:
    """The error that names the package that caused another error; None if all packages fit."""
    if isinstance(error, JobctlError):
        return error
    if isinstance(error, ImportError):
        return _not_loaded(error) or _first_unfit(str(error))
    return _first_unfit(f"{type(error).__name__}: {error}")


def tell(problem: JobctlError, arguments: list[str]) -> int:
    """Print the error if the command line itself could not be loaded; returns the exit code."""
    own = arguments[: arguments.index("--") if "--" in arguments else None]
    if "--json" in own:
        import json

        from jobctl.services.error import error_document

        exit_code = int(problem.exit_code)
        document = error_document(problem.code, exit_code, problem.message, problem.hint, problem.details)
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        lines = [f"jobctl: {problem.message}", *(f"  {line}" for line in (*problem.details, problem.hint) if line)]
        sys.stderr.write("\n".join(lines) + "\n")
    return int(problem.exit_code)


def requirement(package: str) -> str:
    """As pip takes it: ``typer>=0.26,<0.29``."""
    first, beyond = NEEDS[package]
    return f"{package}>={first}" + (f",<{beyond}" if beyond else "")


def _install(package: str) -> str:
    return f"pip install '{requirement(package)}'"


def _wanted(package: str) -> str:
    """``typer 0.26 to 0.28``; ``rich 13.9 or newer``."""
    first, beyond = NEEDS[package]
    if beyond is None:
        return f"{package} {first} or newer"
    *start, last = beyond.split(".")
    return f"{package} {first} to {'.'.join([*start, str(int(last) - 1)])}"


def _numbers(version: str) -> tuple[int, ...]:
    """``0.29.0rc1`` is (0, 29, 0)."""
    found = []
    for part in version.split(".")[:_PARTS]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits[:9]))
    return tuple(found)


def _unfit(package: str, version: str) -> WrongPackage | None:
    first, beyond = NEEDS[package]
    numbers = _numbers(version)
    if not numbers or (numbers >= _numbers(first) and (beyond is None or numbers < _numbers(beyond))):
        return None
    return WrongPackage(
        f"jobctl needs {_wanted(package)}, and {package} {version} is installed here", hint=_install(package)
    )


def _first_unfit(cause: str) -> WrongPackage | None:
    from importlib import metadata

    for package in NEEDS:
        try:
            problem = _unfit(package, metadata.version(package))
        except (metadata.PackageNotFoundError, TypeError):  # not installed as a package, or without a version
            continue
        if problem is not None:
            problem.details = (f"that is why this failed: {cause}",)
            return problem
    return None


def _not_loaded(error: ImportError) -> JobctlError | None:
    package = (error.name or "").partition(".")[0]
    if package == "jobctl":
        return WrongPackage(
            f"jobctl itself is not installed completely: {error}", hint="pip install --force-reinstall jobctl"
        )
    if not package or package in sys.stdlib_module_names:
        return None
    needed = package in NEEDS
    if isinstance(error, ModuleNotFoundError) and error.name == package:
        who = "which jobctl needs" if needed else "which the packages that jobctl needs use"
        hint = _install(package) if needed else f"pip install {package}"
        return WrongPackage(f"the package {package}, {who}, is not installed", hint=hint)
    unfit = _first_unfit(str(error))
    if unfit is not None:
        return unfit
    if package in sys.modules and not getattr(sys.modules[package], "__path__", None):
        return _in_place_of(package, sys.modules[package])
    again = f"'{requirement(package)}'" if needed else package
    return WrongPackage(
        f"the package {package} is installed and cannot be loaded: {error}",
        hint=f"pip install --force-reinstall {again}",
    )


def _in_place_of(package: str, module: Any) -> WrongPackage:
    """A file of the user that has the name of a package."""
    where = getattr(module, "__file__", None) or "something"
    return WrongPackage(
        f"jobctl needs the package {package}, and Python finds {where} in its place",
        hint="rename it, or take its folder out of PYTHONPATH",
    )
