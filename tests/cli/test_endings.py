"""How commands end: exit codes, one sentence each, no stack trace on the screen."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flowscore.cli import endings, printer
from flowscore.cli.endings import ending_of
from flowscore.cli.reports import sum_words
from flowscore.engine.work import Counts
from flowscore.errors import FlowscoreError

if TYPE_CHECKING:
    from .conftest import Run


def raising(error: BaseException) -> object:
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (FlowscoreError("mend this"), 1, "flowscore: mend this"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), 1, "/x/y: no space left"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 1, "may not be read or written"),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "a.csv"),
            1,
            "a.csv: No such",
        ),
        (SystemExit(2), 1, ""),
        (SystemExit(0), 0, ""),
    ],
)
def test_ending_says_one_sentence_and_the_right_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, words: str
) -> None:
    assert ending_of(raising(error), []) == code
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_our_bug_leaves_a_private_log_and_no_trace_on_the_screen(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ending_of(raising(ZeroDivisionError("by zero")), ["tick", "--until", "x"]) == 3
    said = capsys.readouterr().err
    assert "bug in flowscore" in said
    assert "Traceback" not in said
    [log] = [Path(word.rstrip(";")) for word in said.split() if word.endswith(".log;")]
    assert "ZeroDivisionError" in log.read_text()
    assert "flowscore tick --until x" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    log.unlink()


def test_a_cause_that_a_person_can_mend_is_found_below(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        try:
            raise OSError(errno.EROFS, "Read-only file system", "/ro")
        except OSError as below:
            raise RuntimeError("while writing") from below

    assert ending_of(command, []) == 1
    assert "/ro" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [("nope",), ("tick", "--from", "x"), ("tick", "--every", "4 hrs")]
)
def test_wrong_arguments_are_your_input(run: Run, words: tuple[str, ...]) -> None:
    said = run(*words)
    assert said.code == 1
    assert "Error: " in said.err


def test_reader_that_leaves_a_pipe_is_no_fault(tmp_path: Path) -> None:
    command = f"{sys.executable} -m flowscore schema | head -c 10"
    shell = ["bash", "-c", f"set -o pipefail; {command}"]
    done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_control_characters_in_data_do_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printer.show_table(("name",), [["\x1b[31mred\x07"], ["two\nlines"]])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "two lines" in out


def test_a_blank_cell_does_not_move_the_numbers_of_its_column(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [["subscriber", "120", "", "40", ""], ["mql", "1,080", "+8.5", "7", "Tuesday"]]
    printer.show_table(("stage", "entered", "skipped it", "there now", "since"), rows)
    assert capsys.readouterr().out.splitlines() == [
        "stage       entered  skipped it  there now  since",
        "subscriber      120                     40",
        "mql           1,080        +8.5          7  Tuesday",
    ]


def test_stream_json_is_one_document_even_when_empty(capsys: pytest.CaptureFixture[str]) -> None:
    printer.stream_json([])
    printer.stream_json([{"a": "é"}, {"a": 2}])
    assert capsys.readouterr().out.split() == [
        *"[]".split(),
        "[",
        '{"a":',
        '"é"},',
        '{"a":',
        "2}",
        "]",
    ]


def test_exit_codes_are_the_documented_ones() -> None:
    codes = (endings.OK, endings.YOUR_INPUT, endings.OUR_BUG, endings.INTERRUPTED)
    assert codes == (0, 1, 3, 130)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (Counts(), "nothing changed"),
        (Counts(faded=52), "52 balances faded"),
        (Counts(faded=1, celled=1, staged=2),
         "1 balance faded, 1 contact changed cell, 2 contacts changed stage"),
        (Counts(events=3, faded=52), "3 events"),
    ],
)  # fmt: skip
def test_a_tick_says_what_time_alone_did(counts: Counts, told: str) -> None:
    assert sum_words(counts) == told
