"""The names that the headers of a webhook may have, and those that flowscore sets itself.

Asked twice: when the file is read, and when the request is made, since an older version of
flowscore may have queued it.
"""

from __future__ import annotations

import re

NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # a token of RFC 9110
OURS = re.compile(
    "host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect"
    "|proxy-.*|accept-encoding|webhook-.*"
)


def is_name(text: str) -> bool:
    """Whether a header may be called so."""
    return NAME.fullmatch(text) is not None


def is_ours(name: str) -> bool:
    """Whether the header belongs to the connection or to the signature."""
    return OURS.fullmatch(name.lower()) is not None
