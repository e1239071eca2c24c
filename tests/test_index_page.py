"""The page of the package on an index: no link that leads nowhere, and the addresses of the project when it has one."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
URL = "https://github.com/someone/jobctl"


@pytest.fixture(scope="module")
def hook():
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def targets(text: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"(?ms)^```.*?^```|`[^`\n]+`", "", text))


def test_the_readme_has_links_to_files_that_are_there():
    files = [target for target in targets((ROOT / "README.md").read_text()) if not target.startswith(("http", "#"))]
    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []


@pytest.mark.parametrize("url", ["", URL, "https://gitlab.com/someone/jobctl"])
def test_no_link_of_the_description_is_relative(hook, url):
    readme = (ROOT / "README.md").read_text()
    text = hook.description(readme, url)
    relative = [target for target in targets(text) if not target.startswith(("https://", "#"))]
    assert relative == []
    assert (len(targets(text)) == len(targets(readme))) == bool(url)
    assert "CONTRIBUTING.md" in text and "benchmarks/RESULTS.md" in text
    assert re.findall(r"(?ms)^```.*?^```", text) == re.findall(r"(?ms)^```.*?^```", readme)


def test_pictures_are_raw_files_and_links_are_pages(hook):
    text = "![a](x/a.svg) [b](b.md) [c](https://c.example) [d](#d) `[e](e)`"
    assert hook.description(text, URL) == (
        f"![a]({URL}/raw/HEAD/x/a.svg) [b]({URL}/blob/HEAD/b.md) [c](https://c.example) [d](#d) `[e](e)`"
    )
    assert hook.description("[b.md](b.md), [b](c.md)", "") == "b.md, b (`c.md`)"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/someone/jobctl.git\n", URL),
        ("git@github.com:someone/jobctl.git", URL),
        ("ssh://git@github.com/someone/jobctl", URL),
        ("https://user:secret@github.com/someone/jobctl", URL),
        ("/srv/git/jobctl", ""),
        ("file:///srv/git/jobctl.git", ""),
        ("", ""),
    ],
)
def test_the_address_of_a_clone(hook, remote, address):
    assert hook.web_address(remote) == address


def test_where_the_address_comes_from(hook, tmp_path, monkeypatch):
    monkeypatch.delenv("JOBCTL_PROJECT_URL", raising=False)
    assert hook.project_address(tmp_path, "") == ""
    assert hook.addresses("") == {}
    (tmp_path / "PKG-INFO").write_text(f"Name: jobctl\nProject-URL: Source, {URL}\n\ntext")
    assert hook.project_address(tmp_path, "") == URL
    assert hook.project_address(tmp_path, "https://configured.example/") == "https://configured.example"
    monkeypatch.setenv("JOBCTL_PROJECT_URL", "https://said.example")
    assert hook.project_address(tmp_path, "https://configured.example") == "https://said.example"
    assert set(hook.addresses(URL)) == {"Homepage", "Documentation", "Changelog", "Issues", "Source"}
