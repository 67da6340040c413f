"""The project that ships, and that `init` copies: clean, explained, and using what it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flowscore.language.actions import Action, If, Notify, SendEmail
from flowscore.language.project import Project, load_project
from flowscore.mail.templates import load_templates

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project(ROOT)[0]


def test_it_loads_without_a_problem_or_a_warning():
    assert [str(problem.mark) + problem.message for problem in load_project(ROOT)[1]] == []


def test_every_definition_says_what_it_is_for(project):
    parts = (project.scenarios, project.scores, project.lists, project.grades)
    described = [project.lifecycle, *(one for part in parts for one in part.values())]
    assert [one.name for one in described if len(one.description) < 20] == []
    assert all(score.objective for score in project.scores.values())
    assert project.policy.description


def test_every_file_explains_itself_to_a_newcomer():
    for file in sorted((ROOT / "scenarios").rglob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        assert "#" in text or "description:" in text, file
        assert max(map(len, text.splitlines())) <= 100, file


def test_every_step_that_sends_names_a_mail_and_every_mail_is_sent(project):
    sent = {name for one in project.scenarios.values() for name in _mails(one.actions)}
    assert sent == set(load_templates(ROOT)[0].names)


def _mails(actions: tuple[Action, ...]) -> list[str]:
    found: list[str] = []
    for action in actions:
        match action:
            case SendEmail() | Notify():
                found += action.templates
            case If():
                found += _mails(action.then) + _mails(action.otherwise)
    return found


def test_the_model_is_the_one_that_was_asked_for(project):
    rules = {rule.name: rule for rule in project.scores["engagement"].rules}
    asked = {"newsletter": 2, "transactional-click": 3, "cart": 10, "unopened": -5}
    assert {name: rules[name].points for name in asked} == asked
    bands = dict(project.scores["engagement"].bands)
    assert (bands["new"], bands["interested"], bands["qualified"]) == (20, 50, 80)
    assert rules["trial-lesson"].points > rules["newsletter"].points  # it converts more


def test_who_is_worth_a_call_is_one_place_and_the_hand_over_hears_of_it(project):
    grade = project.grades["lead-grade"]
    assert {grade.fit.score, grade.engagement.score} == {"fit", "engagement"}
    assert grade.green == ("A4", "A3", "B4")
    assert project.lifecycle.names[-2:] == ("sql", "customer")  # sales has somebody to call
    assert project.scenarios["hand-over"].actions


def test_policy_is_ours(project):
    policy = project.policy
    assert (policy.timezone, policy.consent) == ("Europe/Madrid", "required")
    assert policy.sender.address.endswith(".example")


def test_no_address_or_link_leads_to_anybody_real():
    for file in [*(ROOT / "scenarios").rglob("*.yaml"), *(ROOT / "templates").rglob("*.*")]:
        text = file.read_text(encoding="utf-8")
        hosts = re.findall(r"(?:https?://|@)((?:[\w-]+\.)+[a-z]{2,})", text)
        assert all(host.endswith((".example", "w3.org")) for host in hosts), (file, hosts)


README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_shows_a_scenario_that_ships():
    shown = README.split("```yaml\n", 1)[1].split("```", 1)[0]
    assert shown in (ROOT / "scenarios/journeys/article-promotions.yaml").read_text("utf-8")


def test_the_readme_says_all_that_matters_on_its_first_screen():
    first = "\n".join(README.splitlines()[:40])
    for needed in ("```yaml", "/flowscore demo", "Almendro, ", "/pytest -q", "%]"):
        assert needed in first, needed
