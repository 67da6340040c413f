"""What webhooks need to know of their surroundings, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flowscore.mail.webhooks.addresses import Reach


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Secrets that sign (each gives a signature), who may be reached, and values for `${NAME}`.

    None of the secrets shows in `repr`.
    """

    secrets: tuple[str, ...] = field(repr=False)
    reach: Reach = field(default_factory=Reach)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
