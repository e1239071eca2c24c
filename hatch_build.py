"""Writes the addresses of the project and a README without relative links into the metadata of the package.

The page of the package on an index shows both. The address is the first of these: the variable JOBCTL_PROJECT_URL,
``url`` in pyproject.toml (``[tool.hatch.metadata.hooks.custom]``), the address in the source distribution that is being
built, and the remote ``origin`` of the clone, if that is on the web. Without an address, the page names files by their
paths, so it has no broken link and no address that nobody has registered.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

try:
    from hatchling.metadata.plugin.interface import MetadataHookInterface
except ModuleNotFoundError:  # the functions below are tested without it
    MetadataHookInterface = object

_LINK = re.compile(r"(!?)\[([^\]\n]*)\]\(([^)\s]+)\)")
_CODE = re.compile(r"(?ms)^```.*?^```|`[^`\n]+`")
#: The paths of the files of a repository, by a part of its host's name; HEAD means the default branch.
_FILES = {"gitlab": "/-/{kind}/HEAD/"}
_USUAL = "/{kind}/HEAD/"


def web_address(remote: str) -> str:
    """Return the web page of a repository, given its address in git; empty for one that is not on the web."""
    found = re.fullmatch(
        r"(?:https?://(?:[^@/]+@)?|ssh://git@|git@)([\w.-]+\.[a-z]+)[:/](.+?)(?:\.git)?/?", remote.strip()
    )
    return f"https://{found[1]}/{found[2]}" if found else ""


def addresses(url: str) -> dict[str, str]:
    """The addresses of the project as an index lists them."""
    if not url:
        return {}
    return {
        "Homepage": url,
        "Documentation": file_address(url, "man", "tree"),
        "Changelog": file_address(url, "CHANGELOG.md"),
        "Issues": f"{url}/-/issues" if "gitlab" in url else f"{url}/issues",
        "Source": url,
    }


def file_address(url: str, path: str, kind: str = "blob") -> str:
    """Return the address of the page of a file (``blob``), of the file itself (``raw``), or of a folder (``tree``)."""
    form = next((form for host, form in _FILES.items() if host in url), _USUAL)
    return url + form.format(kind=kind) + path


def description(readme: str, url: str) -> str:
    """Return the README for a page on another host: links to files are addresses, or paths without an address."""
    parts, at = [], 0
    for code in _CODE.finditer(readme):  # code contains no links
        parts += [_LINK.sub(lambda found: _link(found, url), readme[at : code.start()]), code[0]]
        at = code.end()
    return "".join(parts) + _LINK.sub(lambda found: _link(found, url), readme[at:])


def _link(found: re.Match[str], url: str) -> str:
    picture, text, target = found.groups()
    if re.match(r"[a-z]+:|#", target):
        return found[0]
    if url:
        return f"{picture}[{text}]({file_address(url, target, 'raw' if picture else 'blob')})"
    if picture:
        return f"*{text}: see {target} in the source distribution.*"
    return text if text == target else f"{text} (`{target}`)"


def project_address(root: Path, configured: str) -> str:
    """Return the address of the project; empty if it is not known."""
    address = (
        os.environ.get("JOBCTL_PROJECT_URL", "").strip() or configured or _of_distribution(root) or _of_clone(root)
    )
    return address.rstrip("/")


def _of_distribution(root: Path) -> str:
    try:
        found = re.search(r"(?m)^Project-URL: Source, (\S+)$", (root / "PKG-INFO").read_text(encoding="utf-8"))
    except OSError:
        return ""
    return found[1] if found else ""


def _of_clone(root: Path) -> str:
    if not (root / ".git").exists():
        return ""
    try:
        command = ["git", "-C", str(root), "config", "--get", "remote.origin.url"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return web_address(done.stdout)


class PageOnAnIndex(MetadataHookInterface):  # type: ignore[misc,valid-type]
    """Called by hatchling when it writes the metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the addresses and the description."""
        root = Path(self.root)
        url = project_address(root, str(self.config.get("url", "")))
        readme = (root / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": description(readme, url)}
        metadata["urls"] = addresses(url)
