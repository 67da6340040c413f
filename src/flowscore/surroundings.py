"""Joins the senders of mails and webhooks with the project's settings and environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.clock import clock_now
from flowscore.errors import FlowscoreError
from flowscore.settings import environment_of, secret_of, webhook_secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from flowscore.language.scenario import Scenario
    from flowscore.mail.settings import MailSettings
    from flowscore.mail.transport import Transport
    from flowscore.mail.webhooks.report import WebhookReport
    from flowscore.mail.webhooks.settings import WebhookSettings
    from flowscore.settings import Settings
    from flowscore.store.database import Store


def mail_settings_of(root: Path, given: Settings) -> MailSettings:
    """For mails; the secret is made when links need it."""
    from flowscore.mail.settings import MailSettings

    return MailSettings(
        public_url=given.public_url,
        secret=secret_of(root, given) if given.public_url else "",
        unsubscribe_mailto=given.unsubscribe_mailto,
        uncertain=given.uncertain,
        outbox_dir=given.outbox,
        smtp_url=given.smtp_url.get_secret_value() if given.smtp_url else None,
        connections=given.smtp_connections,
    )


def transport_of(settings: MailSettings) -> Transport:
    """SMTP when a server is set, else .eml files in the outbox."""
    from flowscore.mail.smtp import SmtpTransport
    from flowscore.mail.transport import FolderTransport

    if settings.smtp_url is None:
        return FolderTransport(settings.outbox_dir)
    return SmtpTransport(settings.smtp_url, settings.connections)


def webhook_settings_of(root: Path, given: Settings) -> WebhookSettings:
    """For webhooks; asked when there is one to send, since the secret is made then."""
    from flowscore.mail.webhooks.addresses import read_reach
    from flowscore.mail.webhooks.settings import WebhookSettings

    return WebhookSettings(
        secrets=webhook_secrets_of(root, given),
        reach=read_reach(given.webhook_allow_private),
        variables=environment_of(root),
    )


def post_webhooks(
    root: Path, given: Settings, store: Store, now: int, stop: Callable[[], bool]
) -> WebhookReport:
    """Send the webhooks that are due; most projects have none, and need no settings for them."""
    from flowscore.mail.webhooks.queue import are_due
    from flowscore.mail.webhooks.report import WebhookReport

    if not are_due(store, now):
        return WebhookReport()
    from flowscore.mail.webhooks.delivery import deliver_webhooks

    settings = webhook_settings_of(root, given)
    return deliver_webhooks(store, now, settings, clock=clock_now, stop=stop)


def refuse_unset_variables(root: Path, scenarios: Iterable[Scenario]) -> None:
    """Every `${NAME}` of a webhook has a value (ruling 103): asked when the service starts."""
    from flowscore.mail.webhooks.wants import unset_in

    values = environment_of(root)
    told = [line for scenario in scenarios for line in unset_in(scenario, values)]
    if told:
        raise FlowscoreError("\n".join(dict.fromkeys(told)))
