"""A Maildir: each mail a file; what was handled lies in its subfolders afterwards."""

from __future__ import annotations

from pathlib import Path

from flowscore.mail.returns.mailbox import MailboxError, MailError
from flowscore.mail.returns.parts import LARGEST
from flowscore.mail.returns.taking import Mail

HANDLED, ASIDE = ".Handled", ".Aside"
BOXES = ("new", "cur")


class Maildir:
    """Whatever lies in `new` and `cur` is waiting; it is moved to `.Handled` or `.Aside`.

    The subfolders are Maildirs too, so that any mail program shows them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not folder.is_dir():
            raise MailboxError(
                f"{folder} is no folder; make the Maildir there (new, cur and tmp in it), or name "
                "another by FLOWSCORE_BOUNCE_MAILBOX"
            )
        for name in ("", HANDLED, ASIDE):
            self._make(folder / name)

    def _make(self, maildir: Path) -> None:
        try:
            for box in (*BOXES, "tmp"):
                (maildir / box).mkdir(parents=True, exist_ok=True)
            if maildir != self.folder:
                (maildir / "maildirfolder").touch()
        except OSError as error:
            raise MailboxError(_words(maildir, error)) from error

    def waiting(self) -> list[str]:
        """The oldest delivery first: their names begin with the time."""
        try:
            found = [path for box in BOXES for path in (self.folder / box).iterdir()]
        except OSError as error:
            raise MailboxError(_words(self.folder, error)) from error
        names = (path.relative_to(self.folder) for path in found if path.name[0] != ".")
        return [str(name) for name in sorted(names, key=lambda one: one.name)]

    def fetch(self, name: str) -> Mail | None:
        """The first mebibyte; None for what was moved meanwhile."""
        try:
            with (self.folder / name).open("rb") as file:
                return Mail(file.read(LARGEST))
        except (FileNotFoundError, IsADirectoryError):
            return None
        except OSError as error:
            raise MailError(_words(self.folder / name, error)) from error

    def finish(self, name: str, *, aside: bool) -> None:
        """Into its subfolder, as seen (flag S)."""
        plain = Path(name).name.partition(":")[0]
        place = self.folder / (ASIDE if aside else HANDLED) / "cur" / f"{plain}:2,S"
        try:
            (self.folder / name).rename(place)
        except FileNotFoundError:
            return
        except OSError as error:
            raise MailError(_words(place, error)) from error

    def close(self) -> None:
        """Nothing is open."""


def _words(path: Path, error: OSError) -> str:
    return f"{path}: {error.strerror}; let the user that runs flowscore read and write the Maildir"
