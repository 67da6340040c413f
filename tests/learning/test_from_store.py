"""Learning from a real store: imported leads, ticked, then asked what became of them."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from flowscore.errors import FlowscoreError
from flowscore.learning import population
from flowscore.learning.asking import Question
from learning.company import Lead, at, put, tick

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flowscore.learning.lessons import CloseRate, LeftOut, Lessons, Proposal
    from flowscore.workspace import Workspace
    from learning.conftest import Company

ENGAGEMENT = """
    score: engagement
    objective: Who is about to buy.
    rules:
      - {name: newsletter, points: 10, on: {event: newsletter_subscribed}, cap: {times: 1}}
"""
BOUGHT = Question(outcome="order_completed")


def example(leads: int = 100) -> list[Lead]:
    """One in ten buys; one in five tries, and of those two in five buy; half read the letter."""
    found = []
    for number in range(leads):
        came = (number % 50) * 1.0
        tried, bought = number % 5 == 0, number % 25 in (0, 10) or number % 50 == 1
        did = [(came + 0.5, "page /home")]
        did += [(came + 1, "newsletter_subscribed")] if number % 2 else []
        did += [(came + 3, "free_trial_started")] if tried else []
        did += [(came + 10, "order_completed")] if bought else []
        found.append(Lead(f"lead{number}", came, {}, did))
    found[0].did.append((70, "page /home"))
    return found


def learned(workspace: Workspace, question: Question = BOUGHT) -> Lessons:
    return workspace.learn(question)


def rate_of(lessons: Lessons, what: str, answer: str = "") -> CloseRate:
    return next(one for one in lessons.rates if (one.what, one.answer) == (what, answer))


def out(lessons: Lessons, name: str) -> LeftOut:
    return next(one for one in lessons.left_out if one.name == name)


def proposed(lessons: Lessons, name: str) -> Proposal:
    return next(one for one in lessons.proposals if one.name == name)


def names(found: Iterable[Proposal]) -> set[str]:
    return {one.name for one in found}


# --- the method -------------------------------------------------------------------------------


def test_e01_e02_e03_e04_the_method_by_hand(company: Company) -> None:
    """100 leads, 10 customers; of 20 trial users 8 buy: 40 %, four times the average."""
    lessons = learned(company(ENGAGEMENT, example()), replace(BOUGHT, enough=10))
    assert (lessons.overall.leads, lessons.overall.won) == (100, 10)
    trial = rate_of(lessons, "free_trial_started")
    assert (trial.rate.leads, trial.rate.won, trial.rate.share) == (20, 8, 0.4)
    assert trial.lift == pytest.approx(4)
    assert trial.family == "online behaviour"
    assert proposed(lessons, "free-trial-started").points >= 10
    assert (
        proposed(lessons, "free-trial-started").words
        == "on: {event: free_trial_started}, cap: {times: 1}"
    )


def test_a08_what_converts_more_is_worth_more(company: Company) -> None:
    """The newsletter stands at 10 points; half of all read it, and it hardly sells."""
    lessons = learned(company(ENGAGEMENT, example(1_000)))
    newsletter, trial = proposed(lessons, "newsletter"), proposed(lessons, "free-trial-started")
    assert newsletter.now == 10
    assert newsletter.points < trial.points
    assert 0 < newsletter.points <= 5


def test_e15_few_customers_propose_nothing(company: Company) -> None:
    lessons = learned(company(ENGAGEMENT, example()))
    assert "of 100 leads 10 became customers, expected at least 30" in lessons.stop
    assert not lessons.proposals and not lessons.diff
    assert rate_of(lessons, "free_trial_started").points is None


def test_e15_nobody_bought_or_everybody_did(company: Company) -> None:
    leads = [Lead(f"l{n}", n, {}, [(n + 1, "webinar"), (n + 2, "visit")]) for n in range(50)]
    leads[0].did.append((70, "order_completed"))
    workspace = company(ENGAGEMENT, leads)
    assert "of 50 leads 1 became a customer" in learned(workspace).stop
    assert "without those who did not" in learned(workspace, Question(outcome="visit")).stop


def test_e15_too_short_a_period_is_said(company: Company) -> None:
    """All leads came in within two days, and a sale takes ten."""
    leads = [replace(one, came=0) for one in example(1_000)]
    for number, one in enumerate(leads):
        one.did = [(day - (number % 50) + (number % 2), what) for day, what in one.did]
    lessons = learned(company(ENGAGEMENT, leads))
    assert "too short a period" in lessons.stop


def test_b09_e05_lines_from_the_customers_totals(company: Company) -> None:
    lessons = learned(company(ENGAGEMENT, example(1_000)))
    (lines,) = lessons.lines
    line = next(one for one in lines.lines if one.proposed)
    assert lines.score == "engagement"
    assert line.recall >= 0.75
    assert line.precision > lessons.overall.share
    assert len({one.points for one in lines.lines}) == len(lines.lines) > 1


def test_e07_e08_cycle_steps_and_people_are_said(company: Company) -> None:
    lessons = learned(company(ENGAGEMENT, example(1_000)))
    assert lessons.cycle is not None
    assert lessons.cycle.middle == at(10) - at(0)
    assert "within: 10 days" in lessons.cycle.advice
    answers = dict(lessons.questions)
    assert set(answers) == {
        "How long is the cycle?", "Which steps lead to a sale?", "Who buys?",
    }  # fmt: skip
    assert "free_trial_started" in answers["Which steps lead to a sale?"]


# --- the five families ------------------------------------------------------------------------


def test_e02_five_families(company: Company) -> None:
    """Something of each family goes with buying, and is found."""
    chance, leads = random.Random(1), []
    for number in range(1_500):
        came, good = number % 50, chance.random() < 0.3
        did = [(came + 0.1, "page /home")]
        for day, what in ((1, "page /pricing"), (2, "linkedin_followed"), (3, "email_clicked {}")):
            if chance.random() < (0.6 if good else 0.2):
                did.append((came + day, what))
        if good and chance.random() < 0.5:
            did.append((came + 8, "order_completed"))
        traits = {
            "industry": "software" if chance.random() < (0.8 if good else 0.4) else "retail",
            "city": "Madrid" if chance.random() < (0.8 if good else 0.4) else "Lugo",
        }
        leads.append(Lead(f"l{number}", came, traits, did))
    leads[0].did.append((70, "page /home"))
    lessons = learned(company(ENGAGEMENT, leads), replace(BOUGHT, write=True))
    assert lessons.written == ["scenarios/all.yaml"]
    assert {one.family for one in lessons.rates if one.clear} == {
        "demographic", "online behaviour", "company", "social engagement", "e-mail engagement",
    }  # fmt: skip
    assert {"city-madrid", "industry-software"} <= names(lessons.proposals)


# --- no look into the future ------------------------------------------------------------------


def test_e03_what_came_after_the_outcome_is_found_and_left_out(company: Company) -> None:
    """The invoice follows the order, the plan is set by it: known only after."""
    leads = example(1_000)
    for one in leads:
        if one.did[-1][1] == "order_completed":
            day = one.did[-1][0]
            one.did.append((day + 1, "invoice_paid"))
            one.later.append((day + 1, {"plan": "pro"}))
    lessons = learned(company(ENGAGEMENT, leads))
    assert out(lessons, "invoice_paid").kind == out(lessons, "plan").kind == "leak"
    assert "99 customers who have it, 99 had it only then" in out(lessons, "plan").reason
    assert not {"invoice-paid", "plan-pro"} & names(lessons.proposals)


def test_an_attribute_that_is_set_before_is_used(company: Company) -> None:
    leads = example(1_000)
    for number, one in enumerate(leads):
        if number % 5 == 0:
            one.later.append((one.came + 2, {"team": "large"}))
    lessons = learned(company(ENGAGEMENT, leads))
    assert rate_of(lessons, "team", "large").rate.won == 80


def test_customers_visits_after_the_sale_do_not_count(company: Company) -> None:
    """Everybody visits /help once in three months, customers only after they bought."""
    leads = []
    for number in range(1_000):
        came, bought = number % 40, number % 10 == 0
        did = [(came + 0.5, "page /home"), (came + 30, "page /help")]
        did += [(came + 5, "order_completed")] if bought else []
        leads.append(Lead(f"l{number}", came, {}, did))
    lessons = learned(company(ENGAGEMENT, leads))
    assert not [one for one in lessons.proposals if "help" in one.name]


def test_others_are_judged_at_the_age_at_which_customers_bought(company: Company) -> None:
    """Chance alone leads to /blog, day by day: more time must not speak for those who stay."""
    chance, leads = random.Random(2), []
    for number in range(1_500):
        came, bought = number % 40, number % 8 == 0
        last = 5 + chance.random() * 20 if bought else 60
        did = [(came + 0.1, "page /home")]
        did += [(came + day, "page /blog") for day in range(1, 60)
                if chance.random() < 0.05 and day < last]  # fmt: skip
        did += [(came + last, "order_completed")] if bought else []
        leads.append(Lead(f"l{number}", came, {}, did))
    leads[1].did.append((110, "page /home"))
    lessons = learned(company(ENGAGEMENT, leads))
    assert 0.8 < rate_of(lessons, "page /blog").lift < 1.25
    assert not [one for one in lessons.proposals if "blog" in one.name]


def test_leads_too_young_to_have_bought_are_left_out(company: Company) -> None:
    leads = example(1_000)
    leads += [Lead(f"young{n}", 69, {}, [(69.5, "page /home")]) for n in range(500)]
    lessons = learned(company(ENGAGEMENT, leads))
    assert lessons.overall.leads == 1_000
    assert any("500 leads came in too late to be judged" in note for note in lessons.notes)


def test_period_takes_the_leads_that_came_in_within_it(company: Company) -> None:
    workspace = company(ENGAGEMENT, example(1_000))
    lessons = learned(workspace, replace(BOUGHT, first=at(10), last=at(30)))
    assert (lessons.overall.leads, lessons.overall.won) == (400, 40)


# --- rules that are there ---------------------------------------------------------------------

RULES = """
    score: engagement
    rules:
      - {name: trial, points: 1, on: {event: free_trial_started}}
      - {name: home, points: 1, on: {page_visited: "/home*"}}
      - {name: order, points: 20, on: {event: order_completed}}
      - {name: hardly, points: 3, on: {event: never_done}}
    ---
    score: fit
    rules:
      - {name: spain, points: 5, when: {attribute: {country: ES}}}
      - {name: quiet, points: -5, when: {inactive: 30 days}}
"""


def test_present_rules_get_points_from_results(company: Company) -> None:
    leads = example(1_000)
    for number, one in enumerate(leads):
        one.traits = {"country": "ES" if number % 25 in (0, 1, 10) else "FR"}
    lessons = learned(company(RULES, leads))
    assert proposed(lessons, "trial").now == 1
    assert proposed(lessons, "trial").points >= 5
    assert proposed(lessons, "spain").points > 5
    assert "free_trial_started" not in {one.what for one in lessons.rates}
    assert "country" not in {one.what for one in lessons.rates}
    assert out(lessons, "rule engagement/order").kind == "leak"
    assert "its points stay" in out(lessons, "rule engagement/hardly").reason
    assert "cannot be asked of the past" in out(lessons, "rule fit/quiet").reason


def test_points_of_a_rule_that_repeats_are_for_each_time(company: Company) -> None:
    """Customers look at prices three times: the points of each time are a third."""
    leads = example(1_000)
    for number, one in enumerate(leads):
        if number % 5 == 0:
            one.did += [(one.came + 4 + part / 10, "price_seen") for part in range(3)]
            one.did = [pair for pair in one.did if pair[1] != "free_trial_started"]
    rules = "score: s\nrules: [{name: price, points: 1, on: {event: price_seen}}]\n"
    price = proposed(learned(company(rules, leads)), "price")
    assert "3.0 times each" in price.note
    assert 15 <= 3 * price.points <= 30


def test_e06_again_later_says_what_changed_with_then_and_now(company: Company) -> None:
    """The score was applied when 2 in 5 trial users bought; since then everybody on trial does."""
    workspace = company(RULES, example(1_000))
    workspace.close()
    file = workspace.root / "scenarios" / "all.yaml"
    file.write_text(file.read_text().replace("name: trial, points: 1", "name: trial, points: 9"))
    workspace.__dict__.pop("loaded", None)
    workspace.apply()
    later = []
    for number in range(500):
        came, tried = 75 + number % 40, number % 5 == 0
        did = [(came + 0.5, "page /home")]
        did += [(came + 3, "free_trial_started"), (came + 10, "order_completed")] if tried else []
        later.append(Lead(f"new{number}", came, {}, did))
    later[0].did.append((140, "page /home"))
    put(workspace, later)
    tick(workspace, at(141))
    trial = proposed(learned(workspace), "trial")
    assert trial.then is not None
    assert (trial.then.leads, trial.then.won) == (200, 80)
    assert (trial.rate.leads, trial.rate.won) == (300, 180)
    assert trial.points > trial.now == 9


def test_rules_that_are_not_live_are_told(company: Company) -> None:
    workspace = company(RULES, example(1_000))
    file = workspace.root / "scenarios" / "all.yaml"
    file.write_text(file.read_text().replace("name: trial, points: 1", "name: trial, points: 3"))
    workspace.__dict__.pop("loaded", None)
    lessons = learned(workspace)
    assert any("than what is live in engagement" in note for note in lessons.notes)
    assert proposed(lessons, "trial").now == 3


def test_only_the_score_that_was_asked_for(company: Company) -> None:
    lessons = learned(company(RULES, example(1_000)), replace(BOUGHT, score="engagement"))
    assert {one.score for one in lessons.proposals} == {"engagement"}
    with pytest.raises(FlowscoreError, match="no score is called so; there are: engagement, fit"):
        learned(company(RULES, example(10)), replace(BOUGHT, score="engagment"))


# --- sensitive attributes ---------------------------------------------------------------------


def test_f05_sensitive_attributes_are_never_proposed_unasked(company: Company) -> None:
    leads = example(1_000)
    for number, one in enumerate(leads):
        one.traits = {"age": "60" if number % 5 == 0 else "30"}
    workspace = company(ENGAGEMENT, leads)
    lessons = learned(workspace)
    assert out(lessons, "age").kind == "sensitive"
    assert not [one for one in lessons.proposals if "age" in one.name.split("-")]
    asked = learned(workspace, replace(BOUGHT, sensitive=True))
    assert [one for one in asked.proposals if one.because]
    assert 'because: ""' in asked.diff
    with pytest.raises(FlowscoreError, match="needs a justification: say why"):
        learned(workspace, replace(BOUGHT, sensitive=True, write=True))
    reason = "Older people get another offer, and pay the same."
    learned(workspace, replace(BOUGHT, sensitive=True, write=True, because=reason))
    assert f'because: "{reason}"' in (workspace.root / "scenarios" / "all.yaml").read_text()


def test_of_very_many_leads_a_stable_sample_is_weighed_and_all_are_counted(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = company(ENGAGEMENT, example(1_000))
    monkeypatch.setattr(population, "SAMPLE", 600)
    lessons = learned(workspace)
    assert rate_of(lessons, "free_trial_started").rate.leads == 200
    trial = proposed(lessons, "free-trial-started")
    assert (trial.rate.leads, trial.rate.won) == (200, 80)
    assert trial.points >= 10
    sampled = re.search(r"fitted on (\d+) of them", " ".join(lessons.notes))
    assert sampled and 500 < int(sampled[1]) < 700
    assert learned(workspace) == lessons


# --- outcomes ---------------------------------------------------------------------------------

LIFECYCLE = """
    ---
    lifecycle: buyer
    stages:
      - lead
      - {stage: customer, when: {event: order_completed}}
"""


def test_the_last_stage_is_the_outcome_by_default(company: Company) -> None:
    """The tick that noticed it came long after; the event behind it says when it was."""
    lessons = learned(company(ENGAGEMENT + LIFECYCLE, example(1_000)), Question())
    assert lessons.outcome == "the stage customer"
    assert (lessons.overall.leads, lessons.overall.won) == (1_000, 100)
    assert lessons.cycle is not None
    assert lessons.cycle.middle == at(10) - at(0)


def test_sales_feedback_is_an_outcome(company: Company) -> None:
    leads = example(1_000)
    for one in leads:
        if one.did[-1][1] == "order_completed":
            one.did[-1] = (one.did[-1][0], 'sales_feedback {"verdict": "won", "amount": 90}')
        else:
            one.did.append((one.came + 9, 'sales_feedback {"verdict": "lost"}'))
    lessons = learned(company(ENGAGEMENT, leads), Question(outcome="won"))
    assert (lessons.overall.leads, lessons.overall.won) == (1_000, 99)
    assert not [one for one in lessons.rates if "feedback" in one.what]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (None, "the project has no lifecycle"),
        ("order_complete", "did you mean 'order_completed'"),
        ("sold", "no stage and no event is called so"),
    ],
)
def test_an_outcome_that_is_not_there_is_told(
    company: Company, outcome: str | None, words: str
) -> None:
    workspace = company(ENGAGEMENT, example(10))
    with pytest.raises(FlowscoreError) as told:
        learned(workspace, Question(outcome=outcome))
    assert words.lower() in str(told.value).lower()


def test_compare_holds_old_and_new_points_against_unseen_leads(company: Company) -> None:
    lessons = learned(company(RULES, example(1_000)), replace(BOUGHT, compare=True))
    old, new, yardstick = lessons.compared
    assert lessons.held_out is not None
    assert (lessons.held_out.leads, lessons.held_out.won) == (300, 30)
    assert new.auc >= old.auc
    assert new.auc > yardstick.auc - 0.03
    assert new.top_decile > 2
