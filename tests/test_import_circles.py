"""No module of the package imports, directly or through other modules, a module that imports it."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp


def test_no_modules_import_each_other() -> None:
    """Imports inside of functions and imports for annotations alone count as well."""
    graph = grimp.build_graph("jobctl", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        raise AssertionError(f"these modules import each other: {' -> '.join(circle)}") from None
