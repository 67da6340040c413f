"""How a command ends: each kind of failure as one sentence, an exit code, and no stack trace."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from flowscore.cli.printer import complain
from flowscore.clock import clock_now, rfc3339
from flowscore.errors import FlowscoreError

OK, YOUR_INPUT, OUR_BUG, INTERRUPTED = 0, 1, 3, 130
USAGE = 2  # what typer says of an unknown option or command
DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
WRITE_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


def ending_of(command: Callable[[], object], given: Sequence[str]) -> int:
    """Run the command and turn whatever happens into an exit code."""
    try:
        command()
    except SystemExit as leaving:
        return _code(leaving)
    except FlowscoreError as error:
        return _refused(str(error))
    except KeyboardInterrupt:
        complain("interrupted; what was done so far stands, the same command goes on from there")
        return INTERRUPTED
    except BrokenPipeError:
        return _hang_up()
    except Exception as error:
        return _failed(error, given)
    return OK


def _code(leaving: SystemExit) -> int:
    code = leaving.code if isinstance(leaving.code, int) else (1 if leaving.code else 0)
    return YOUR_INPUT if code == USAGE else code


def _refused(sentence: str) -> int:
    complain(f"flowscore: {sentence}")
    return YOUR_INPUT


def _hang_up() -> int:
    """The reader of our pipe (`| head`) has left; that is no fault."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _failed(error: Exception, given: Sequence[str]) -> int:
    """The surroundings if they are to blame, else a bug of ours with its trace in a file."""
    sentence = _of_surroundings(error)
    if sentence:
        return _refused(sentence)
    log = _write_log(given)
    complain(
        f"flowscore: this is a bug in flowscore, not in your files ({type(error).__name__}: "
        f"{_short(error)}).\nNothing half-done was kept. The details are in {log}; "
        "please report it with that file."
    )
    return OUR_BUG


def _of_surroundings(error: BaseException | None) -> str | None:
    """What a person can mend outside of flowscore: the disk, rights, a path."""
    while error is not None:
        if isinstance(error, OSError):
            return _of_system(error)
        error = error.__cause__
    return None


def _of_system(error: OSError) -> str | None:
    place = error.filename or "the disk"
    if error.errno in DISK_FULL:
        return f"{place}: no space left; free some and run the same command again, nothing is lost"
    if error.errno in WRITE_REFUSED:
        return f"{place}: may not be read or written ({error.strerror}); check who owns it"
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return f"{place}: {error.strerror}; check the path"
    return None


def _short(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]


def _write_log(given: Sequence[str]) -> Path:
    """The stack trace, in a file that only its owner may read; it may name contacts."""
    stamp = rfc3339(clock_now())[:19].replace("-", "").replace(":", "")
    handle, name = tempfile.mkstemp(prefix=f"flowscore-{stamp}-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as out:
        out.write(f"flowscore {' '.join(given)}\nPython {sys.version}\n\n{traceback.format_exc()}")
    return Path(name)
