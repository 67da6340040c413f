"""Joins the senders of mails and webhooks with the project's settings and environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flowscore.clock import clock_now
from flowscore.errors import FlowscoreError
from flowscore.settings import PREFIX, environment_of, secret_of, webhook_secrets_of

HOW_TO_SIGN = (
    "python -c \"import base64, secrets; print('\\nFLOWSCORE_WEBHOOK_SECRET=whsec_' + "
    'base64.b64encode(secrets.token_bytes(32)).decode())" >> .env'
)
"""A line that any shell takes; it begins anew where the last line of `.env` was left open."""

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from flowscore.language.scenario import Scenario
    from flowscore.mail.returns.taking import Desk, Taken
    from flowscore.mail.settings import MailSettings
    from flowscore.mail.transport import Transport
    from flowscore.mail.webhooks.courier import Courier
    from flowscore.mail.webhooks.report import WebhookReport
    from flowscore.mail.webhooks.settings import WebhookSettings
    from flowscore.settings import Settings
    from flowscore.store.database import Store


def mail_settings_of(root: Path, given: Settings) -> MailSettings:
    """For mails; the secret is made when links need it, and one that is there opens old links."""
    from flowscore.mail.settings import MailSettings

    postmark = given.postmark_webhook_password is not None
    needed = given.public_url or given.bounce_address or given.secret or postmark
    return MailSettings(
        public_url=given.public_url,
        secret=secret_of(root, given) if needed else "",
        unsubscribe_mailto=given.unsubscribe_mailto,
        bounce_address=given.bounce_address,
        postmark=postmark,
        uncertain=given.uncertain,
        outbox_dir=given.outbox,
        smtp_url=given.smtp_url.get_secret_value() if given.smtp_url else None,
        connections=given.smtp_connections,
    )


def returns_desk_of(settings: MailSettings, store: Store) -> Desk:
    """Where mail that came back is taken."""
    from flowscore.mail.returns.taking import Desk

    return Desk(store, settings.secret, settings.bounce_address)


def read_bounces(root: Path, given: Settings, desk: Desk, stop: Callable[[], bool]) -> Taken:
    """The mailbox of FLOWSCORE_BOUNCE_MAILBOX, read to its end."""
    from flowscore.mail.returns.mailbox import open_mailbox, read_mailbox, read_place

    if given.bounce_mailbox is None:
        raise FlowscoreError(
            f"no mailbox to read: set {PREFIX}BOUNCE_MAILBOX to maildir:/var/mail/bounces or "
            "imaps://USER:PASSWORD@HOST/INBOX, or hand one mail over with --stdin"
        )
    mailbox = open_mailbox(read_place(given.bounce_mailbox.get_secret_value()), root)
    try:
        return read_mailbox(desk, mailbox, stop)
    finally:
        mailbox.close()


def transport_of(settings: MailSettings) -> Transport:
    """SMTP when a server is set, else .eml files in the outbox."""
    from flowscore.mail.smtp import SmtpTransport
    from flowscore.mail.transport import FolderTransport

    if settings.smtp_url is None:
        return FolderTransport(settings.outbox_dir)
    return SmtpTransport(settings.smtp_url, settings.connections)


def webhook_settings_of(root: Path, given: Settings) -> WebhookSettings:
    """For webhooks that are posted."""
    from flowscore.mail.webhooks.addresses import read_reach
    from flowscore.mail.webhooks.settings import WebhookSettings

    return WebhookSettings(
        secrets=webhook_secrets_of(given),
        reach=read_reach(given.webhook_allow_private),
        variables=environment_of(root),
    )


def courier_of(root: Path, given: Settings, now: int) -> Courier:
    """HTTP when a secret is set, else .json files in the outbox."""
    from flowscore.mail.webhooks.courier import HttpCourier
    from flowscore.mail.webhooks.folder import FolderCourier

    if not webhook_secrets_of(given):
        return FolderCourier(given.outbox, now)
    return HttpCourier(webhook_settings_of(root, given), clock_now)


def deliver_webhooks(
    root: Path, given: Settings, store: Store, now: int, stop: Callable[[], bool]
) -> WebhookReport:
    """Post or write the webhooks that are due; most projects have none, and need no courier."""
    from flowscore.mail.webhooks.queue import are_due
    from flowscore.mail.webhooks.report import WebhookReport

    if not are_due(store, now):
        return WebhookReport()
    from flowscore.mail.webhooks import delivery

    courier = courier_of(root, given, now)
    return delivery.deliver_webhooks(store, now, courier, clock=clock_now, stop=stop)


def look_after_webhooks(root: Path, given: Settings, scenarios: Iterable[Scenario]) -> str:
    """What to say of webhooks when the service starts; empty where nothing needs saying.

    Where they are posted, every `${NAME}` has to have a value (ruling 103).
    """
    from flowscore.mail.webhooks.wants import webhooks_of

    if webhook_secrets_of(given):
        _refuse_unset_variables(root, scenarios)
    elif any(webhook for scenario in scenarios for webhook in webhooks_of(scenario)):
        return (
            f"Webhooks are written to {given.outbox.name}/ until {PREFIX}WEBHOOK_SECRET is set. "
            f"To make one: {HOW_TO_SIGN}"
        )
    return ""


def _refuse_unset_variables(root: Path, scenarios: Iterable[Scenario]) -> None:
    from flowscore.mail.webhooks.wants import unset_in

    values = environment_of(root)
    told = [line for scenario in scenarios for line in unset_in(scenario, values)]
    if told:
        raise FlowscoreError("\n".join(dict.fromkeys(told)))
