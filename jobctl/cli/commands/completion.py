"""``jobctl completion``: scripts with which shells complete jobctl's command lines.

``python -m jobctl.cli.commands.completion [FOLDER]`` writes them to ``completions/``, from where they are installed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobctl.cli.command import Command
from jobctl.cli.session import session
from jobctl.domain.nearest import did_you_mean
from jobctl.errors import Exit, UsageError

if TYPE_CHECKING:
    from jobctl.domain.documents.program import CompletionDocument

app = typer.Typer(add_completion=False, rich_markup_mode=None)

FOLDER = Path("completions")
#: The script of each shell, named as that shell looks for it.
FILES = {"bash": "jobctl", "zsh": "_jobctl", "fish": "jobctl.fish"}
#: Where each shell looks for the scripts of one user.
FOLDERS = {
    "bash": "~/.local/share/bash-completion/completions",
    "zsh": "~/.zfunc",
    "fish": "~/.config/fish/completions",
}


@app.command(cls=Command)
def completion(
    ctx: typer.Context,
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="The shell: bash, zsh or fish.")],
) -> int:
    """Print the script with which a shell completes commands, options, job numbers and more.

    Examples:
      mkdir -p ~/.local/share/bash-completion/completions
      jobctl completion bash > ~/.local/share/bash-completion/completions/jobctl
      mkdir -p ~/.zfunc ~/.config/fish/completions
      jobctl completion zsh > ~/.zfunc/_jobctl
      jobctl completion fish > ~/.config/fish/completions/jobctl.fish

    For zsh, ~/.zshrc needs fpath+=~/.zfunc before compinit.

    The package installs the same scripts below share/. Shells find them there if jobctl is installed for the whole
    system.
    """
    if shell not in FILES:
        raise UsageError(
            f"there is no completion for {shell!r}",
            hint=did_you_mean(shell, FILES, f"jobctl completion {'|'.join(FILES)}"),
        )
    document = completion_document(shell)
    if session(ctx).json:
        session(ctx).emit(document)
    else:
        session(ctx).say(document["script"].rstrip("\n"))
    return Exit.OK


def completion_document(shell: str) -> CompletionDocument:
    """``jobctl.completion/1``: the script of a shell, and the file that it belongs to."""
    name = FILES[shell]
    return {
        "schema": "jobctl.completion/1",
        "shell": shell,
        "file": name,
        "install": f"{FOLDERS[shell]}/{name}",
        "script": scripts()[shell],
    }


def scripts() -> dict[str, str]:
    """The script of each shell."""
    from jobctl.cli.app import command_tree
    from jobctl.cli.completion.bash import bash
    from jobctl.cli.completion.fish import fish
    from jobctl.cli.completion.zsh import zsh

    root = command_tree()
    return {"bash": bash(root), "zsh": zsh(root), "fish": fish(root)}


def main() -> None:
    """Write the scripts to the folder they are kept in."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for shell, text in scripts().items():
        (folder / FILES[shell]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
