"""From a scorecard to rules: new points for those that are there, and new rules with their home."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowscore.errors import FlowscoreError
from flowscore.language.grammar.sensitive import is_sensitive
from flowscore.learning.lessons import Proposal
from flowscore.learning.rates import together
from flowscore.learning.yaml_words import key, number

if TYPE_CHECKING:
    from flowscore.language.project import Project
    from flowscore.language.scoring import Rule
    from flowscore.learning.columns import Subject
    from flowscore.learning.rates import Rate
    from flowscore.learning.weighing import Scorecard, Weighed

LEARNED = "learned"  # the score of a project that has none
FEW = 10
"""Leads below which a rule that is there keeps its points."""


@dataclass(frozen=True)
class Homes:
    """In which score a new rule is written: one that asks what people are, one what they do."""

    attributes: str
    behaviour: str

    def of(self, subject: Subject) -> str:
        """The score of a rule about that."""
        return self.behaviour if subject.source == "event" else self.attributes


def homes_of(project: Project, asked: str | None) -> Homes:
    """The score that was asked for; else the one with most rules of the same sort."""
    scores = project.scores
    if asked is not None and asked not in scores:
        there = ", ".join(sorted(scores)) or "none"
        raise FlowscoreError(f"--score {asked}: no score is called so; there are: {there}")
    if asked is not None or not scores:
        return Homes(asked or LEARNED, asked or LEARNED)
    contacts = {name: one.rules for name, one in scores.items() if one.of == "contact"}
    return Homes(_fullest(contacts, "when"), _fullest(contacts or _rules(project), "on"))


def _rules(project: Project) -> dict[str, tuple[Rule, ...]]:
    return {name: one.rules for name, one in project.scores.items()}


def _fullest(rules: Mapping[str, tuple[Rule, ...]], sort: str) -> str:
    """The score with most rules that have `on` (or `when`); by name where equal."""
    counts = {name: sum(bool(getattr(one, sort)) for one in some) for name, some in rules.items()}
    return min(counts, key=lambda name: (-counts[name], name)) if counts else LEARNED


@dataclass
class Names:
    """The rule names that are taken, by score."""

    taken: dict[str, set[str]] = field(default_factory=dict)

    def free(self, score: str, name: str) -> str:
        """The name itself, or with the first number that makes it one of its own."""
        used = self.taken.setdefault(score, set())
        found, number_ = name, 2
        while found in used:
            found, number_ = f"{name}-{number_}", number_ + 1
        used.add(found)
        return found


def propose(
    card: Scorecard, project: Project, homes: Homes, *, wanted: str | None = None
) -> list[Proposal]:
    """What to change and what to add; `wanted`: only in this score."""
    names = Names({name: {rule.name for rule in some} for name, some in _rules(project).items()})
    found: list[Proposal] = []
    for weighed in card.columns.values():
        if weighed.cut.subject.source == "rule":
            found += _changed(weighed, project)
        else:
            found += _added(weighed, homes, names)
    return sorted(
        (one for one in found if wanted is None or one.score == wanted),
        key=lambda one: (one.now is None, one.score, -abs(one.points), one.name),
    )


def _changed(weighed: Weighed, project: Project) -> Iterable[Proposal]:
    score, _, name = weighed.cut.subject.place.partition("/")
    rule = next((one for one in project.scores[score].rules if one.name == name), None)
    if rule is None:
        return
    rate, points = weighed.cut.answers[1].rate, int(weighed.points[1])
    note = f"per time; {weighed.times:.1f} times each" if weighed.times >= 1.05 else ""
    if weighed.is_slight:
        note = "next to no difference; points cannot be 0"
    yield Proposal(score, name, points, rate, _lift(weighed, rate), now=rule.points, note=note)


def _added(weighed: Weighed, homes: Homes, names: Names) -> Iterable[Proposal]:
    subject = weighed.cut.subject
    score = homes.of(subject)
    sensitive = subject.source != "event" and is_sensitive(subject.place)
    for points, answers in _by_points(weighed):
        rate = together(weighed.cut.answers[place].rate for place in answers)
        answer = weighed.cut.together(answers)
        name = names.free(score, answer.name)
        yield Proposal(
            score, name, points, rate, _lift(weighed, rate), answer.words, because=sensitive
        )


def _by_points(weighed: Weighed) -> list[tuple[int, list[int]]]:
    """The places of answers that have points, those of one text column with the same together."""
    found: dict[tuple[int, int], list[int]] = {}
    for place, answer in enumerate(weighed.cut.answers):
        points = int(weighed.points[place])
        if points and answer.words:
            alike = 0 if place in weighed.cut.texts.values() else place + 1
            found.setdefault((points, alike), []).append(place)
    return [(points, places) for (points, _), places in found.items()]


def _lift(weighed: Weighed, rate: Rate) -> float:
    """The close rate ÷ the one of all leads, also those outside of a sample."""
    overall = together(answer.rate for answer in weighed.cut.answers)
    return rate.share / overall.share if overall.won else 0.0


def rule_text(proposal: Proposal, because: str) -> str:
    """A new rule as one line of YAML, without the dash."""
    parts = [f"name: {key(proposal.name)}", f"points: {number(proposal.points)}", proposal.words]
    if proposal.because:
        parts.append(f"because: {quoted(because)}")
    return "{" + ", ".join(parts) + "}"


def quoted(text: str) -> str:
    """A text in double quotes."""
    import json

    return json.dumps(text, ensure_ascii=False)


def remark(proposal: Proposal) -> str:
    """Why a rule is there, as a comment behind it."""
    rate = proposal.rate
    return f"{rate.share:.1%} of {rate.leads:,} leads won, {proposal.lift:.1f} × the average"
