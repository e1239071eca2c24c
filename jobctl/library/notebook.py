"""Jobs in a Jupyter notebook: a table that changes in place while a job runs.

With ipywidgets (``pip install 'jobctl[notebook]'``) the table is a widget; otherwise the output of the cell is written
again. In both cases plain HTML is left at the end, which a saved notebook keeps.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from jobctl.errors import UsageError

if TYPE_CHECKING:
    from jobctl.library.documents import StatusDocument


def is_notebook() -> bool:
    """Return whether a Jupyter kernel runs this code. Imports nothing."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None) is not None


class NotebookView:
    """Shows a job in the output of a cell. Raises UsageError where IPython is not installed."""

    def __init__(self) -> None:
        try:
            from IPython import display
        except ImportError as problem:
            raise UsageError(
                "progress='notebook' needs IPython, which is not installed",
                hint="pip install 'jobctl[notebook]', or progress='rich'",
            ) from problem
        self._display: Any = display
        self._widget: Any = None
        self._handle: Any = None
        self._shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Replace the widget by plain HTML: a saved notebook has it without a kernel."""
        if self._widget is not None:
            self._handle.update(self._display.HTML(self._shown))
            self._widget.close()

    def __call__(self, status: StatusDocument) -> None:
        """Show this status, if it differs from the last one."""
        from jobctl.render.report.panel import job_panel

        panel = job_panel(status)  # type: ignore[arg-type]
        if panel == self._shown:
            return
        self._shown = panel
        if self._handle is None:
            self._widget = _html_widget(panel)
            shown = self._display.HTML(panel) if self._widget is None else self._widget
            self._handle = self._display.display(shown, display_id=True)
        elif self._widget is not None:
            self._widget.value = panel
        else:
            self._handle.update(self._display.HTML(panel))


def _html_widget(panel: str) -> Any:
    """Return a widget with this text; None where ipywidgets is not installed."""
    try:
        from ipywidgets import HTML
    except ImportError:
        return None
    return HTML(value=panel)
