"""Which values the webhooks of a scenario want from the environment, and which are not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from flowscore.language.actions import Action, CallWebhook
from flowscore.language.variables import unset, variables_of, why_unset
from flowscore.language.words import Word

if TYPE_CHECKING:
    from flowscore.language.scenario import Scenario


def webhooks_of(scenario: Scenario) -> Iterator[CallWebhook]:
    """Every webhook of a scenario that may be called: none of what is disabled."""
    return webhooks_in(scenario) if scenario.enabled else iter(())


def webhooks_in(word: object) -> Iterator[CallWebhook]:
    """The same of any of its parts."""
    if isinstance(word, Action) and not word.enabled:
        return
    if isinstance(word, CallWebhook):
        yield word
    if isinstance(word, Word):
        word = tuple(word.__dict__.values())
    for one in word if isinstance(word, tuple) else ():
        yield from webhooks_in(one)


def unset_in(scenario: Scenario, values: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each value that an enabled scenario wants and does not get."""
    for webhook in webhooks_of(scenario):
        for name in unset(variables_of(webhook), values):
            yield f"{webhook.mark}: scenario {scenario.name} wants {why_unset(name)}"
