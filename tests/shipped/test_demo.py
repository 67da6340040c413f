"""The demo: made-up people who are the same everywhere, and what it prints of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from flowscore.clock import DAY, HOUR, rfc3339
from flowscore.demo import SEED, UNTIL, company, reactions
from flowscore.demo.company import SPAN
from flowscore.demo.reactions import SentMail
from flowscore.demo.report import sparkline
from flowscore.demo.run import open_demo
from flowscore.errors import FlowscoreError

ROOT = Path(__file__).parents[2]
MADE = company(SEED, UNTIL)


# --- the people -------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_company():
    assert company(SEED, UNTIL) == MADE
    assert company(SEED + 1, UNTIL) != MADE


def test_they_are_a_few_hundred_with_and_without_consent_in_two_languages():
    named = {call["userId"] for call in MADE.events if call["type"] == "identify"}
    assert 250 <= len(MADE.contacts) + len(named) <= 350
    assert {row["locale"][:2] for row in MADE.contacts} == {"es", "en"}
    assert {row["consent"] for row in MADE.contacts} == {"news;offers", "no"}
    assert len({row["email"] for row in MADE.contacts}) == len(MADE.contacts)


def test_nobody_is_real():
    mails = [row["email"] for row in MADE.contacts]
    mails += [c["traits"]["email"] for c in MADE.events if c["type"] == "identify"]
    assert all(mail.endswith(".example") for mail in mails)


def test_events_are_as_untidy_as_in_life():
    ids = Counter(call["messageId"] for call in MADE.events)
    assert sum(count > 1 for count in ids.values()) > 20  # sent twice
    late = [c for c in MADE.events if c.get("receivedAt", c["timestamp"]) > c["timestamp"]]
    assert len(late) > 20
    anonymous = {c["anonymousId"] for c in MADE.events if "userId" not in c}
    named = {c.get("anonymousId") for c in MADE.events if c["type"] == "identify"}
    assert anonymous & named  # who says later who they are
    assert anonymous - named  # who never does


def test_everything_happens_in_the_sixty_days_and_history_before():
    first, last = rfc3339(UNTIL - SPAN), rfc3339(UNTIL)
    assert all(first <= call["timestamp"] <= last for call in MADE.events)
    assert all(call["timestamp"] < first for call in MADE.history)


# --- what they do with mail -------------------------------------------------------------------


def mails(count: int) -> list[SentMail]:
    at = UNTIL - 30 * DAY + 10 * HOUR
    return [
        SentMail(f"m.{n}", MADE.contacts[n]["email"], "welcome", "news", at) for n in range(count)
    ]


def test_answers_do_not_depend_on_the_order_in_which_they_are_asked():
    sent = mails(40)
    one_by_one = [call for mail in sent for call in reactions(SEED, [mail])]
    assert sorted(map(str, reactions(SEED, sent))) == sorted(map(str, one_by_one))


def test_some_open_some_click_and_machines_say_that_they_are_machines():
    calls = reactions(SEED, mails(120))
    opened = [call for call in calls if call.get("event") == "Email Opened"]
    people = [call for call in opened if not call["properties"].get("machine")]
    assert 30 < len(people) < 110
    assert 0 < len(opened) - len(people) < 30
    assert 0 < sum(call.get("event") == "Email Link Clicked" for call in calls) < len(people)


# --- what is printed --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "line"),
    [([], ""), ([0, 0], "  "), ([1], "█"), ([0, 1, 4, 8], " ▁▄█"), ([5, 5], "██")],
)
def test_a_sparkline_is_one_bar_for_each_size(sizes, line):
    assert sparkline(sizes) == line


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FlowscoreError, match=r"not an empty folder.*flowscore demo DIR"):
        open_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_environment_cannot_make_it_send_or_write_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWSCORE_SMTP_URL", "smtp://mail.example.com:25")
    monkeypatch.setenv("FLOWSCORE_DATABASE_URL", "postgresql://nobody@nowhere/none")
    workspace = open_demo(tmp_path / "new")
    assert workspace.mail_settings.smtp_url is None
    assert workspace.store_place == tmp_path / "new" / "flowscore.db"
    workspace.close()


@pytest.fixture(scope="module")
def printed(tmp_path_factory) -> tuple[Path, str]:
    """The folder in which the command was run, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    environment = {**os.environ, "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "flowscore", "demo"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True,
        encoding="utf-8",
    )  # fmt: skip
    assert done.stderr == ""
    return folder / "flowscore-demo", done.stdout


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_the_demo_shows_leads_lists_scenarios_and_mails(printed):
    folder, text = printed
    for title in ("Whom to call today", "How the lists grew", "What each scenario did", "Mail ("):
        assert title in text
    shown = re.findall(r"^ +flowscore-demo/(mails/\S+)$", text, re.MULTILINE)
    assert len(shown) == 3
    assert all("prefers-color-scheme" in (folder / path).read_text("utf-8") for path in shown)
    assert max(map(len, text.splitlines())) <= 160


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_whom_to_call_is_what_flowscore_leads_says(printed):
    folder, text = printed
    command = [sys.executable, "-X", "utf8", "-m", "flowscore", "leads", "--json", "--limit", "3"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    queue = json.loads(done.stdout)
    part = text.split("Whom to call today")[1].split("\nHow the lists grew")[0]
    assert queue["matrix"]["legend"] in part
    assert re.search(rf"A +{queue['matrix']['counts']['A4']}\*", part)
    assert f"{queue['left_out']['in_stage']} in stage customer" in part
    told = re.findall(r"^(\w\d)\* \S.*: stage (\w+), engagement (\d+)", part, re.MULTILINE)
    assert told == [
        (lead["cell"], lead["stage"], str(lead["scores"]["engagement"])) for lead in queue["leads"]
    ]
    assert part.count("scenarios/scores/engagement.yaml:") > 3 * 2
    assert f"flowscore explain {queue['leads'][0]['contact']}" in text


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_every_scenario_of_the_shipped_project_is_seen_at_work(printed):
    _, text = printed
    part = text.split("What each scenario did")[1].split("\nMail (")[0]
    entered = {row[0]: int(row[1].replace(",", "")) for line in part.splitlines()[2:]
               if len(row := line.split()) > 1}  # fmt: skip
    names = re.findall(r"^scenario: (\S+)", _all_scenarios(), re.MULTILINE)
    assert set(entered) == set(names)
    assert all(count > 0 for count in entered.values()), entered


def _all_scenarios() -> str:
    files = sorted((ROOT / "scenarios").rglob("*.yaml"))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


@pytest.mark.slow
@pytest.mark.xdist_group("demo")
def test_the_readme_shows_what_is_really_printed(printed):
    """Every line of its output blocks, in this order; `…` stands for what was left out."""
    lines = iter(line.rstrip() for line in printed[1].splitlines())
    for wanted in _shown_in_readme():
        assert wanted in lines, f"README.md shows {wanted!r}, which is not printed (there)"


def _shown_in_readme() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text.split("flowscore demo\n", 1)[1].split("```", 1)[0]
    return [line.rstrip() for line in block.splitlines() if line.strip() not in ("", "…")]
