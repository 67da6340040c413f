"""The project that is shipped, and how it gets into a new folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from flowscore.errors import FlowscoreError

PARTS = ("scenarios", "templates/email", "templates/pages")
UNTRACKED = "flowscore.db*\ninbox.db*\noutbox/\n.env\n.flowscore/\n"


def copy_starter(root: Path) -> list[Path]:
    """Copy it below the folder; nothing that is there is overwritten. Gives what was written."""
    if (root / "scenarios").exists():
        raise FlowscoreError(
            f"{root / 'scenarios'} is there already; choose another folder, nothing was written"
        )
    copied = [path for part in PARTS for path in _copy(starter_folder() / part, root / part)]
    return [*copied, *_write_gitignore(root / ".gitignore")]


def starter_folder() -> Path:
    """Inside the package, or at the top of a checkout."""
    packaged = Path(__file__).parent / "starter"
    return packaged if packaged.is_dir() else Path(__file__).parents[2]


def _copy(source: Path, target: Path) -> Iterator[Path]:
    for file in sorted(source.rglob("*")):
        path = target / file.relative_to(source)
        if file.is_file() and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, path)
            yield path


def _write_gitignore(target: Path) -> Iterator[Path]:
    """The store, the mails and the secrets are not for version control."""
    if not target.exists():
        target.write_text(UNTRACKED, encoding="utf-8")
        yield target
