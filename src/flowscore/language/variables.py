"""`${NAME}` in a webhook: the one way to a secret, filled in only when the webhook is sent.

`$${NAME}` is the text `${NAME}` itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flowscore.language.actions import CallWebhook

VARIABLE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
WRITTEN = re.compile(r"(\$+)\{([A-Za-z_][A-Za-z0-9_]*)\}")  # a variable, or one that is escaped
OURS = "FLOWSCORE_"  # flowscore's own settings are nobody else's to know
DOLLAR = token_hex(16)  # stands for the author's `$` while rendering: no contact can write it


def variables_in(*texts: str) -> list[str]:
    """The names that texts ask for, each once, in their order."""
    return list(dict.fromkeys(name for text in texts for name in VARIABLE.findall(text)))


def variables_of(webhook: CallWebhook) -> list[str]:
    """The names that a webhook asks for, as its author wrote it."""
    return variables_in(webhook.url, webhook.body, *(value for _, value in webhook.headers))


def render_around(text: str, render: Callable[[str], Any]) -> Any:
    """The text rendered; in the result only its author's variables are variables still.

    A contact who calls herself `${CRM_TOKEN}` must not get one: it becomes `$${CRM_TOKEN}`.
    """
    return _restored(render(WRITTEN.sub(lambda found: found[0].replace("$", DOLLAR), text)))


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return [_restored(one) for one in value]
    if isinstance(value, str):
        return WRITTEN.sub(r"$\g<0>", value).replace(DOLLAR, "$")
    return value


def unset(names: Collection[str], values: Mapping[str, str]) -> Iterator[str]:
    """Those that have no value; an empty one is none, and flowscore's own are never given."""
    return (name for name in names if name.startswith(OURS) or not values.get(name))


def why_unset(name: str) -> str:
    """The name, why it has no value, and what to do."""
    if name.startswith(OURS):
        return f"${{{name}}}, but flowscore's own settings go to no receiver; name another variable"
    return f"${{{name}}}, which is not set; set it in the environment or in .env"


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its variables filled in, once: a value is never read for names again."""

    def value(found: re.Match[str]) -> str:
        return values[found[2]] if found[1] == "$" else found[0][1:]

    return WRITTEN.sub(value, text)


def hide(text: str, names: Collection[str], values: Mapping[str, str]) -> str:
    """The text with the values of these names taken out again, the longest first.

    What is shorter than four characters is no secret, and would be found in any text.
    """
    secrets = {piece: name for name in names for piece in _pieces(values.get(name, ""))}
    for piece in sorted(secrets, key=len, reverse=True):
        text = text.replace(piece, f"${{{secrets[piece]}}}")
    return text


def _pieces(value: str) -> Iterator[str]:
    """The value; of an address also host and path, and the path: redirects repeat those."""
    _, scheme, rest = value.rstrip("/").partition("://")
    path = "/" + rest.partition("/")[2]
    for piece in (value, rest, path) if scheme else (value,):
        if len(piece) >= 4:
            yield piece
            yield piece.replace("/", "\\/")  # as PHP writes JSON
