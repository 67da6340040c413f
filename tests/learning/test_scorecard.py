"""The fitted scorecard: what several columns share counts once, points are small whole numbers."""

from __future__ import annotations

import math
import random

import pytest

from flowscore.learning.columns import Column, Cut, Sheet, Subject
from flowscore.learning.cutting import FEWEST, count, cut
from flowscore.learning.logistic import Pattern, fit_weights, gather
from flowscore.learning.rates import Rate
from flowscore.learning.thresholds import lines_of, reached_by
from flowscore.learning.weighing import DOUBLING, Scorecard, weigh


def flag(name: str, values: list[int]) -> Column:
    return Column(Subject(f"event/{name}", "event", name, "", "on: x", "flag"), values)


def text(name: str, values: list[str | None]) -> Column:
    return Column(Subject(f"attribute/{name}", "attribute", name, "", name, "text"), values)


def number(name: str, values: list[float | None]) -> Column:
    return Column(Subject(f"attribute/{name}", "attribute", name, "", name, "number"), values)


def card_of(won: list[int], *columns: Column) -> Scorecard:
    sheet = Sheet([str(place) for place in range(len(won))], won, columns)
    rows = range(len(won))
    return weigh(sheet, [cut(one.subject, count(one, won, rows)) for one in columns], rows)


def points(card: Scorecard, name: str) -> float:
    return card.columns[f"event/{name}"].points[1]


def cut_of(column: Column, won: list[int]) -> Cut:
    return cut(column.subject, count(column, won, range(len(won))))


def test_e04_four_times_the_average_gets_extra_points_and_below_it_loses_some() -> None:
    trial = [1] * 200 + [0] * 800
    job_page = [0] * 200 + [1] * 300 + [0] * 500
    won = [1] * 80 + [0] * 120 + [0] * 300 + [1] * 20 + [0] * 480
    card = card_of(won, flag("trial", trial), flag("jobs", job_page))
    assert points(card, "trial") >= 10
    assert points(card, "jobs") < 0
    assert all(isinstance(one, int) for column in card.columns.values() for one in column.points)


def test_five_points_double_the_odds() -> None:
    """Alone in a big sample, a behaviour is worth its own odds ratio."""
    did = [1] * 50_000 + [0] * 50_000
    won = [1] * 10_000 + [0] * 40_000 + [1] * 5_000 + [0] * 45_000
    ratio = (10_000 / 40_000) / (5_000 / 45_000)
    assert points(card_of(won, flag("did", did)), "did") == round(DOUBLING * math.log2(ratio))


def test_what_two_columns_share_counts_once() -> None:
    chance = random.Random(1)
    did = [int(chance.random() < 0.2) for _ in range(20_000)]
    won = [int(chance.random() < (0.4 if one else 0.05)) for one in did]
    nearly = [one if chance.random() < 0.97 else 1 - one for one in did]
    alone = points(card_of(won, flag("did", did)), "did")
    both = card_of(won, flag("did", did), flag("nearly", nearly))
    naive = alone + points(card_of(won, flag("nearly", nearly)), "nearly")
    assert points(both, "did") + points(both, "nearly") == pytest.approx(alone, abs=2)
    assert naive > 1.6 * alone


def test_many_leads_get_the_weights_of_a_logistic_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    chance = random.Random(2)
    rows = [(chance.randrange(2), chance.randrange(2)) for _ in range(20_000)]
    odds = [-1 + 1.2 * first + 0.7 * second for first, second in rows]
    won = [int(chance.random() < 1 / (1 + math.exp(-one))) for one in odds]
    ours = fit_weights(gather(rows, won), [(0.0, 1.0), (0.0, 1.0)])
    theirs = LogisticRegression(C=1e6, tol=1e-8).fit(rows, won).coef_[0]
    assert ours == pytest.approx(list(theirs), abs=0.02)


def test_few_leads_share_one_weight() -> None:
    """Trial and cart go together in forty leads: nobody can say yet which of them sells."""
    patterns = [Pattern((0, 0), 20, 2), Pattern((1, 1), 15, 9), Pattern((0, 1), 5, 3)]
    first, second = fit_weights(patterns, [(0.0, 1.5), (0.0, 1.5)])
    assert first > 0.4 and second > 0.4
    assert first + second < 1.9


def test_weights_never_turn_a_better_close_rate_into_minus_points() -> None:
    patterns = [
        Pattern((0, 0), 10_000, 1_000),
        Pattern((1, 1), 10_000, 6_000),
        Pattern((1, 0), 5_000, 4_500),
    ]
    assert min(fit_weights(patterns, [(0.0, 1.0), (0.0, 1.0)])) == 0


def test_rare_texts_are_pooled_and_what_is_unknown_is_an_answer() -> None:
    values: list[str | None] = ["red"] * 500 + ["blue"] * 450 + [None] * 20
    values += [f"rare {place}" for place in range(30)]
    made = cut_of(text("colour", values), [0, 1] * 500)
    assert [answer.label for answer in made.answers] == [
        "not known", "red", "blue", "other (rare values)",
    ]  # fmt: skip
    assert made.code("rare 7") == made.code("never seen") == 3
    assert (
        made.answers[3].words == "when: {attribute: {colour: {exists: true, not_in: [red, blue]}}}"
    )
    assert made.answers[0].words == "when: {attribute: {colour: {exists: false}}}"
    assert made.answers[1].rate == Rate(500, 250)


def test_numbers_are_cut_where_close_rates_differ() -> None:
    chance = random.Random(3)
    values: list[float | None] = [float(chance.randrange(1, 200)) for _ in range(5_000)]
    won = [int(chance.random() < (0.4 if value and value >= 50 else 0.1)) for value in values]
    made = cut_of(number("employees", values), won)
    assert len(made.edges) == 1 and abs(made.edges[0] - 50) <= 10
    edge = f"{made.edges[0]:g}"
    assert [answer.label for answer in made.answers[1:]] == [f"below {edge}", f"{edge} or more"]
    assert made.answers[2].words == f"when: {{attribute: {{employees: {{at_least: {edge}}}}}}}"


def test_e15_numbers_that_say_nothing_are_not_cut() -> None:
    answers = []
    for seed in range(20):
        chance = random.Random(seed)
        values: list[float | None] = [float(chance.randrange(1, 200)) for _ in range(2_000)]
        won = [int(chance.random() < 0.1) for _ in values]
        answers.append(len(cut_of(number("employees", values), won).answers))
    assert sum(one > 2 for one in answers) <= 1


def test_a_count_gets_points_for_each_time() -> None:
    subject = Subject("rule/s/page", "rule", "page", "", "s/page", "count")
    times: list[float | str | None] = [4.0] * 1_000 + [0.0] * 3_000
    won = [1] * 500 + [0] * 500 + [1] * 300 + [0] * 2_700
    made = card_of(won, Column(subject, times)).columns["rule/s/page"]
    assert made.times == 4
    assert made.worth(4) == 4 * made.points[1]
    assert 4 * made.points[1] == pytest.approx(DOUBLING * math.log2(9), abs=3)


def test_b09_e05_the_line_is_the_total_that_three_of_four_customers_reach() -> None:
    totals = [*range(1, 101), *range(-50, 50)]  # a hundred customers: 1 … 100
    won = [1] * 100 + [0] * 100
    lines = lines_of("fit", totals, won, {"hot": 60})
    proposed = next(line for line in lines.lines if line.proposed)
    assert (proposed.points, proposed.won, proposed.recall) == (26, 75, 0.75)
    assert proposed.leads == 75 + 24
    assert proposed.precision == pytest.approx(75 / 99)
    assert len(lines.lines) >= 6
    assert [line.name for line in lines.lines if line.points == 60] == ["hot"]
    assert lines.customers == (1, 26, 51, 75, 100) or lines.customers[2] in (50, 51)


def test_b09_a_total_that_most_others_have_is_no_line() -> None:
    half = lines_of("fit", [16] * 66 + [0] * 34 + [0] * 90 + [16] * 10, [1] * 100 + [0] * 100, {})
    assert [line.points for line in half.lines if line.proposed] == [16]
    none = lines_of("fit", [0] * 20, [1] * 10 + [0] * 10, {})
    assert not [line for line in none.lines if line.proposed]


def test_reached_by_all_is_the_lowest() -> None:
    assert reached_by([1, 2, 3, 4], 1.0) == 1
    assert reached_by([7], 0.25) == 7


def test_few_leads_do_not_stand_by_themselves() -> None:
    values: list[str | None] = ["x"] * (FEWEST - 1) + ["y"] * 100
    made = cut_of(text("a", values), [1] * len(values))
    assert "x" not in made.texts
