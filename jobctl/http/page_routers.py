"""The routes of the pages, in one list."""

from __future__ import annotations

from jobctl.http import page_files
from jobctl.http.routes import page_actions, page_changes, page_recipes, pages

ROUTERS = (pages.router, page_recipes.router, page_actions.router, page_changes.router, page_files.router)
