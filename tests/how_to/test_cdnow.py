"""docs/how-to/cdnow.md: its commands print what it says, and its numbers are counted anew.

The data file is public and not part of this repository: CDNOW_FILE names it, or it lies where
the workshop keeps its data, beside the checkout.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from docs.consoles import commands_in, is_as_shown

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "cdnow.md"
PROJECT = PAGE.with_suffix("")
DATA = Path(os.environ.get("CDNOW_FILE") or ROOT.parent / "shared" / "data" / "cdnow_master.txt")
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COPIED = re.compile(r"^<!-- (\S+) -->\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
END = pd.Timestamp("1998-07-01")
DAY = pd.Timedelta(days=1)

needs_data = pytest.mark.skipif(
    not DATA.is_file(), reason=f"the public CDNOW data is not at {DATA}; set CDNOW_FILE"
)
together = pytest.mark.xdist_group("cdnow")  # one run for all of these


def test_page_shows_the_files_as_they_are() -> None:
    shown = dict(COPIED.findall(PAGE.read_text(encoding="utf-8")))
    assert sorted(shown) == ["convert.py", "scenarios/shop.yaml"]
    for name, text in shown.items():
        assert text == (PROJECT / name).read_text(encoding="utf-8"), name


@dataclass(frozen=True)
class Run:
    """The project after the page's commands: where it is, and (command, shown, printed) of each."""

    folder: Path
    commands: tuple[tuple[str, str, str], ...]

    def rows(self, table: str) -> Iterator[dict]:
        with (self.folder / "tables" / f"{table}.jsonl").open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    def members(self, name: str) -> set[str]:
        return {
            row["contact"]
            for row in self.rows("members")
            if row["list"] == name and row["left_at"] is None
        }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Do what the page says, in a copy of its project."""
    folder = tmp_path_factory.mktemp("cdnow") / "project"
    shutil.copytree(PROJECT, folder)
    (folder / "cdnow_master.txt").symlink_to(DATA.resolve())
    here = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = []
    for command, shown in commands_of_the_page():
        told = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=here,
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, f"{command}\n{told.stdout}{told.stderr}"
        done.append((command, shown, told.stdout))
    return Run(folder, tuple(done))


def commands_of_the_page() -> Iterator[tuple[str, str]]:
    """Each command with what the page shows of its output."""
    for block in CONSOLE.findall(PAGE.read_text(encoding="utf-8")):
        yield from commands_in(block)


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    """The raw file, read by pandas and nothing of ours."""
    raw = pd.read_csv(DATA, sep=r"\s+", header=0, names=["customer", "day", "cds", "dollars"],
                      dtype={"customer": str, "day": str})  # fmt: skip
    raw["contact"] = "customer-" + raw.customer + "@example.com"
    raw["day"] = pd.to_datetime(raw.day, format="%Y%m%d")
    return raw.sort_values(["contact", "day"], kind="stable")


@pytest.fixture(scope="module")
def stretches(orders: pd.DataFrame) -> pd.DataFrame:
    """One row for each day with an order: the letter 90 days later, and the next order's day."""
    days = orders[["contact", "day"]].drop_duplicates()
    days["next"] = days.groupby("contact").day.shift(-1)
    days["letter"] = days.day + 90 * DAY
    silent = (days.next.isna() | (days.next > days.letter)) & (days.letter <= END)
    return days[silent]


@needs_data
@together
@pytest.mark.slow
def test_page_prints_what_the_run_prints(run: Run) -> None:
    for command, shown, printed in run.commands:
        assert is_as_shown(shown, printed), f"$ {command}\n{printed}"


@needs_data
@together
@pytest.mark.slow
def test_vips_have_five_orders_in_365_days(run: Run, orders: pd.DataFrame) -> None:
    of_the_year = orders[(orders.day > END - 365 * DAY) & (orders.day <= END)]
    counts = of_the_year.groupby("contact").size()
    vips = set(counts[counts >= 5].index)
    assert len(vips) == 1677
    assert run.members("vip") == vips
    last = orders.groupby("contact").day.max()
    asleep = {vip for vip in vips if last[vip] <= END - 60 * DAY}
    assert len(asleep) == 621
    assert run.members("vip-asleep") == asleep


@needs_data
@together
@pytest.mark.slow
def test_one_win_back_for_each_stretch_of_silence(run: Run, stretches: pd.DataFrame) -> None:
    wanted = sorted(zip(stretches.contact, stretches.letter.dt.strftime(RFC3339), strict=True))
    assert len(wanted) == 31_673
    sent = [
        (row["contact"], row["sent_at"]) for row in run.rows("messages") if row["status"] == "sent"
    ]
    assert sorted(sent) == wanted
    assert len(list((run.folder / "outbox").glob("*.eml"))) == len(wanted)


@needs_data
@together
@pytest.mark.slow
def test_whoever_buys_again_leaves_the_list(run: Run, stretches: pd.DataFrame) -> None:
    back = stretches[stretches.next.notna()]
    left = [
        (row["contact"], row["left_at"])
        for row in run.rows("members")
        if row["list"] == "silent" and row["left_at"]
    ]
    assert len(left) == 11_385
    assert sorted(left) == sorted(zip(back.contact, back.next.dt.strftime(RFC3339), strict=True))
    assert run.members("silent") == set(stretches.contact[stretches.next.isna()])


@needs_data
@together
@pytest.mark.slow
def test_balances_add_up_orders_and_money(run: Run, orders: pd.DataFrame) -> None:
    points = 10 + 10 * (orders.dollars >= 50) + 20 * (orders.dollars >= 100)
    wanted = points.groupby(orders.contact).sum()
    balances = {row["contact"]: row["balance"] for row in run.rows("balances")}
    assert balances == wanted.to_dict()
    assert run.members("gold") == set(wanted[wanted >= 300].index)


RFC3339 = "%Y-%m-%dT%H:%M:%SZ"
