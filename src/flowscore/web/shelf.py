"""The mail templates as they stand in the folder now, for a server that runs for months."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from flowscore.mail.templates import Templates, load_templates

Stamp = frozenset[tuple[str, int, int]]


@dataclass
class Shelf:
    """Reads the folder again when a file in it was changed, added or taken away."""

    root: Path
    _lock: Lock = field(default_factory=Lock)
    _known: tuple[Stamp, Templates] | None = None

    @property
    def templates(self) -> Templates:
        """Blocks."""
        with self._lock:
            stamp = _stamp(self.root / "templates")
            if self._known is None or self._known[0] != stamp:
                self._known = (stamp, load_templates(self.root)[0])
            return self._known[1]


def _stamp(folder: Path) -> Stamp:
    """Every file with its time and size."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return frozenset((str(p), (s := p.stat()).st_mtime_ns, s.st_size) for p in files)
