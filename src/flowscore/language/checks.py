"""Rules over the whole project: each is a small function, and all stand in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flowscore.errors import Problem
from flowscore.language.actions import SendEmail
from flowscore.language.circles import find_circles
from flowscore.language.doubts import (
    changes_of_nothing,
    dates_before_creation,
    impossible_conditions,
    mangled_text,
    operators_in_text,
    steps_behind_an_exit,
    unreachable_thresholds,
)
from flowscore.language.draft import Draft
from flowscore.language.endings import (
    exits_over_the_past,
    goals_that_cannot_come,
    goals_without_time,
    since_entry_on_entering,
    waits_for_the_goal,
)
from flowscore.language.fronts import Front
from flowscore.language.grammar.references import TRANSACTIONAL
from flowscore.language.grammar.spelling import did_you_mean, listed
from flowscore.language.loops import loops
from flowscore.language.standing import (
    cells_out_of_reach,
    fading_between_looks,
    first_stage_entered,
    labels_out_of_reach,
    stages_out_of_reach,
)
from flowscore.language.unused import (
    caps_without_effect,
    mails_without_sender,
    silent_lists,
    unread_lists,
    unsent_templates,
)

Check = Callable[[Draft], Iterator[Problem]]


def check_project(draft: Draft, *, whole: bool) -> list[Problem]:
    """Everything that is wrong or doubtful about the project as a whole.

    Where a definition could not be read (not `whole`), nothing is said about what is missing:
    it may stand there.
    """
    checks = CHECKS + WANTS if whole else CHECKS
    return [problem for check in checks for problem in check(draft)]


def circles(draft: Draft) -> Iterator[Problem]:
    """Definitions that read one another's state in a circle (ruling 68)."""
    for circle in find_circles(draft):
        first = draft.definition(*circle[0])
        way = " → ".join(f"{kind} '{name}'" for kind, name in [*circle, circle[0]])
        hint = "take one of these references out"
        yield Problem(first.mark, f"these read one another in a circle: {way}", hint=hint)


def unknown_topics(draft: Draft) -> Iterator[Problem]:
    """Templates whose topic the policy does not name."""
    for front in draft.fronts:
        if front.topic and not topic_is_known(front, draft):
            known = (*(draft.names.topics or ()), TRANSACTIONAL)
            hint = did_you_mean(front.topic, known, f"the policy has: {listed(known)}")
            message = f"there is no topic '{front.topic}' in the policy"
            yield Problem(front.topic_mark, message, "topic", hint)


def topic_is_known(front: Front, draft: Draft) -> bool:
    """Whether the topic of a template is one of the policy's, built in, or not given."""
    topics = draft.names.topics
    return topics is None or front.topic in (None, "", TRANSACTIONAL, *topics)


def missing_topics(draft: Draft) -> Iterator[Problem]:
    """Templates that a step sends although their front matter has no topic (ruling 101)."""
    sent = {
        name: action.mark
        for action in draft.actions
        if isinstance(action, SendEmail)
        for name in reversed(action.templates)
    }
    for front in draft.fronts:
        if not front.locale and front.topic == "" and front.name in sent:
            message = f"no topic in the front matter, and {sent[front.name]} sends this mail"
            known = listed((*(draft.names.topics or ()), TRANSACTIONAL))
            hint = f"add a line `topic: …` between the --- lines: {known}"
            yield Problem(front.topic_mark, message, "topic", hint)


CHECKS: tuple[Check, ...] = (
    circles,
    unknown_topics,
    missing_topics,
    # doubts: warnings, which never block
    loops,
    changes_of_nothing,
    dates_before_creation,
    goals_that_cannot_come,
    goals_without_time,
    waits_for_the_goal,
    exits_over_the_past,
    since_entry_on_entering,
    steps_behind_an_exit,
    caps_without_effect,
    mangled_text,
    operators_in_text,
    fading_between_looks,
)
WANTS: tuple[Check, ...] = (  # doubts about what no definition does
    unreachable_thresholds,
    impossible_conditions,
    labels_out_of_reach,
    cells_out_of_reach,
    stages_out_of_reach,
    first_stage_entered,
    silent_lists,
    unread_lists,
    unsent_templates,
    mails_without_sender,
)
