"""Cuts columns into answers: rare texts are pooled, numbers binned, from counts alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from flowscore.learning.columns import Answer, Column, Cut, Subject, Value, rate_answers
from flowscore.learning.rates import NOBODY, Rate, together
from flowscore.learning.yaml_words import key, number, scalar, slug

MOST_TEXTS = 15  # answers of a text column that stand by themselves
MOST_BINS = 5
FINE_BINS = 20  # quantiles from which bins are joined
RARE = 0.01  # of all leads
FEWEST = 20  # leads of an answer that stands by itself
THIN = 0.05  # a bin has at least this share of the known numbers
RARE_VALUES = "\x00"  # stands for all that few leads have, and is no value of anybody
CLEARLY = 3.3  # standard errors by which neighbouring bins differ: there are many places to cut


@dataclass(frozen=True)
class Counts:
    """Who has which value: the rate of each text, or of each fine bin of numbers, and of nobody.

    `edges` has one number less than `bins`: the first number of each bin above the lowest.
    """

    missing: Rate
    texts: Mapping[str, Rate] | None = None
    edges: Sequence[float] = ()
    bins: Sequence[Rate] = ()


def cut(subject: Subject, counts: Counts) -> Cut:
    """The answers of a column, from its counts."""
    if subject.is_yes_or_no:
        return _yes_or_no(subject, counts)
    if subject.kind == "number":
        return _numbers(subject, counts)
    return _texts(subject, counts)


def _yes_or_no(subject: Subject, counts: Counts) -> Cut:
    done = counts.bins[0] if counts.bins else NOBODY
    no = Answer("no", "", "", counts.missing)
    return Cut(subject, (no, Answer("yes", subject.place, slug(subject.label), done)))


# --- texts ------------------------------------------------------------------------------------


def _texts(subject: Subject, counts: Counts) -> Cut:
    texts = counts.texts or {}
    everybody = together(texts.values()) + counts.missing
    fewest = max(FEWEST, RARE * everybody.leads)
    ranked = sorted(texts, key=lambda text: (-texts[text].leads, text))
    enough = (text for text in ranked if texts[text].leads >= fewest)
    common = [text for text in enough if text != RARE_VALUES][:MOST_TEXTS]
    rare = [text for text in ranked if text not in common]
    answers = [_not_known(subject, counts.missing)]
    answers += [_text(subject, text, texts[text]) for text in common]
    if rare:
        answers.append(_others(subject, common, [texts[text] for text in rare]))
    codes = {text: place for place, text in enumerate(common, 1)}
    return Cut(subject, tuple(answers), texts=codes, pooled=len(answers) - 1 if rare else 0)


def _not_known(subject: Subject, rate: Rate) -> Answer:
    asked = f"{{{subject.source}: {{{key(subject.place)}: {{exists: false}}}}}}"
    if subject.empties:
        words = ", ".join(scalar(word) for word in subject.empties)
        said = f"{{{subject.source}: {{{key(subject.place)}: [{words}]}}}}"
        asked = f"{{any: [{asked}, {said}]}}"
    return Answer("not known", f"when: {asked}", _name(subject, "unknown"), rate)


def _text(subject: Subject, text: str, rate: Rate) -> Answer:
    return Answer(text, _asks(subject, scalar(text)), _name(subject, text), rate)


def _others(subject: Subject, common: Sequence[str], rates: list[Rate]) -> Answer:
    """Every value that is none of the common ones."""
    label = "other (rare values)" if common else "known"
    name = _name(subject, "other" if common else "known")
    return Answer(label, _asks(subject, _known_but(subject, common)), name, together(rates))


def _known_but(subject: Subject, common: Sequence[str]) -> str:
    """The test that something else is known."""
    others = [scalar(text) for text in (*common, *subject.empties)]
    return f"{{exists: true, not_in: [{', '.join(others)}]}}" if others else "{exists: true}"


def _asks(subject: Subject, test: str) -> str:
    return f"when: {{{subject.source}: {{{key(subject.place)}: {test}}}}}"


def _name(subject: Subject, answer: str) -> str:
    return slug(subject.label, answer)


# --- numbers ----------------------------------------------------------------------------------


def _numbers(subject: Subject, counts: Counts) -> Cut:
    edges, bins = list(counts.edges), list(counts.bins)
    while len(bins) > 1 and (place := _to_join(bins)) is not None:
        bins[place] += bins.pop(place + 1)
        edges.pop(place)
    answers = [_not_known(subject, counts.missing)]
    bounds = [None, *edges, None]
    for low, high, rate in zip(bounds, bounds[1:], bins, strict=False):
        answers.append(_bin(subject, low, high, rate))
    return Cut(subject, tuple(answers), edges=tuple(edges))


def _to_join(bins: list[Rate]) -> int | None:
    """The place of the lower one of two neighbours that should be one; None where all may stay.

    A thin bin joins the neighbour that is more like it; then the two most alike join, until few
    enough are left and chance hardly explains how any two differ (ChiMerge: Kerber 1992, AAAI).
    """
    gaps = [_gap(low, high) for low, high in pairwise(bins)]
    fewest = max(FEWEST, THIN * together(bins).leads)
    thin = min(range(len(bins)), key=lambda place: bins[place].leads)
    if bins[thin].leads < fewest:
        beside = [place for place in (thin - 1, thin) if 0 <= place < len(gaps)]
        return min(beside, key=lambda place: gaps[place])
    closest = min(range(len(gaps)), key=lambda place: gaps[place])
    return closest if len(bins) > MOST_BINS or gaps[closest] < CLEARLY else None


def _gap(low: Rate, high: Rate) -> float:
    """How many standard errors lie between two rates."""
    both = (low + high).share
    error = both * (1 - both) * (1 / max(low.leads, 1) + 1 / max(high.leads, 1))
    return abs(low.share - high.share) / math.sqrt(error) if error else 0.0


def _bin(subject: Subject, low: float | None, high: float | None, rate: Rate) -> Answer:
    if low is None and high is None:
        return Answer(
            "known", _asks(subject, _known_but(subject, ())), _name(subject, "known"), rate
        )
    tests, label, name = [], [], []
    if low is not None:
        tests.append(f"at_least: {number(low)}")
        label.append(f"{number(low)} or more" if high is None else number(low))
        name.append(f"from-{number(low)}")
    if high is not None:
        tests.append(f"below: {number(high)}")
        label.append(f"below {number(high)}" if low is None else f"to below {number(high)}")
        name.append(f"below-{number(high)}")
    words = _asks(subject, "{" + ", ".join(tests) + "}")
    return Answer(" ".join(label), words, _name(subject, "-".join(name)), rate)


# --- from the rows of a sheet -----------------------------------------------------------------


def count(column: Column, won: Sequence[int], rows: Sequence[int]) -> Counts:
    """The counts of a column over some of its leads."""
    values = [column.values[row] for row in rows]
    outcomes = [won[row] for row in rows]
    kind = column.subject.kind
    if kind == "text":
        return _count_texts(values, outcomes)
    if kind == "number":
        return _count_numbers(values, outcomes)
    no, yes = rate_answers((1 if value else 0 for value in values), outcomes, 2)
    return Counts(no, bins=[yes])


def _count_texts(values: Sequence[Value], won: Sequence[int]) -> Counts:
    leads, winners = Counter(values), Counter[Value]()
    for value, one in zip(values, won, strict=True):
        winners[value] += one
    rates = {value: Rate(leads[value], winners[value]) for value in leads}
    missing = rates.pop(None, NOBODY)
    return Counts(missing, texts={str(value): rate for value, rate in rates.items()})


def _count_numbers(values: Sequence[Value], won: Sequence[int]) -> Counts:
    known = sorted(float(value) for value in values if value is not None)
    edges = fine_edges(known)
    cut_up = Cut(Subject("", "attribute", "", "", "", "number"), (), edges=tuple(edges))
    codes = [cut_up.code(value) for value in values]
    missing, *bins = rate_answers(codes, won, len(edges) + 2)
    return Counts(missing, edges=edges, bins=bins)


def fine_edges(known: Sequence[float]) -> list[float]:
    """The first number of each quantile above the lowest, each once, easy on the eye."""
    if not known:
        return []
    places = (place * len(known) // FINE_BINS for place in range(1, FINE_BINS))
    return tidy_edges((known[place] for place in places), known[0])


def tidy_edges(found: Iterable[float], lowest: float) -> list[float]:
    """Edges at three digits, ascending, each once, above the lowest number."""
    rounded = {float(f"{edge:.3g}") for edge in found}
    return sorted(edge for edge in rounded if edge > lowest)
