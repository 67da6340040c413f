"""What an apply makes stale: the scores, lists and dates that mean something else than before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.language.project import Project, digest

if TYPE_CHECKING:
    from flowscore.language.policy import Policy
    from flowscore.language.scenario import ContactList
    from flowscore.language.scoring import Score


def changed_scores(old: Project, new: Project) -> list[Score]:
    """The scores whose points an apply counts anew."""
    # At other instants idle losses would be taken twice, or never: they are judged anew as well.
    moves = fades_anew(old.policy, new.policy)
    return [
        one
        for one in new.scores.values()
        if _points_differ(old.scores.get(one.name), one) or (moves and one.idle is not None)
    ]


def _points_differ(old: Score | None, new: Score) -> bool:
    return old is None or digest(_points_of(old)) != digest(_points_of(new))


def _points_of(score: Score) -> tuple[object, ...]:
    return (score.rules, score.cap, score.range, score.decay, score.of)


def reads_anew(old: Policy, new: Policy) -> bool:
    """Whether dates or consent mean something else under the new policy."""
    return (old.timezone, old.consent) != (new.timezone, new.consent)


def fades_anew(old: Policy, new: Policy) -> bool:
    """Whether points fade at other instants (ruling 50)."""
    return (old.timezone, old.decay_every) != (new.timezone, new.decay_every)


def changed_lists(old: Project, new: Project) -> list[ContactList]:
    """The dynamic lists that an apply fills anew, asking everybody."""
    every = reads_anew(old.policy, new.policy)
    return [
        one
        for one in new.lists.values()
        if one.members is not None
        and (every or one.name not in old.lists or digest(old.lists[one.name]) != digest(one))
    ]


def unchanged_rules(old: Score | None, score: Score) -> set[str]:
    """The names of the rules that still mean the same."""
    before = {rule.name: digest(rule) for rule in old.rules} if old is not None else {}
    return {rule.name for rule in score.rules if before.get(rule.name) == digest(rule)}
