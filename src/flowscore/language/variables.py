"""`${NAME}` in a webhook: the one way to a secret, filled in only when the webhook is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flowscore.language.actions import CallWebhook

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
OURS = "FLOWSCORE_"  # flowscore's own settings are nobody else's to know


def variables_in(*texts: str) -> list[str]:
    """The names that texts ask for, each once, in their order."""
    return list(dict.fromkeys(name for text in texts for name in VARIABLE.findall(text)))


def variables_of(webhook: CallWebhook) -> list[str]:
    """The names that the author of a webhook asks for.

    Only these are ever filled in: what Jinja2 puts into a header is a contact's own word, and a
    contact called `${CRM_TOKEN}` must not get one.
    """
    return variables_in(webhook.url, webhook.body, *(value for _, value in webhook.headers))


def unset(names: Collection[str], values: Mapping[str, str]) -> Iterator[str]:
    """Those that have no value; an empty one is none, and flowscore's own are never given."""
    return (name for name in names if name.startswith(OURS) or not values.get(name))


def fill(text: str, names: Collection[str], values: Mapping[str, str]) -> str:
    """The text with these names filled in, once: a value is never read for names again."""
    return VARIABLE.sub(lambda found: values[found[1]] if found[1] in names else found[0], text)


def hide(text: str, names: Collection[str], values: Mapping[str, str]) -> str:
    """The text with the values of these names taken out again, the longest first.

    What is shorter than four characters is no secret, and would be found in any text.
    """
    secrets = {values[name]: name for name in names if len(values.get(name, "")) >= 4}
    for value in sorted(secrets, key=len, reverse=True):
        text = text.replace(value, f"${{{secrets[value]}}}")
    return text
