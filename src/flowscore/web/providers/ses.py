"""Amazon SES, which tells of bounces and complaints through a topic of Amazon SNS.

Notices as in the SES developer guide, «Amazon SNS notification contents for Amazon SES» and
«Contents of event data that Amazon SES publishes to Amazon SNS»: the first say
`notificationType`, the second `eventType`; both are read.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from typing import Any

from flowscore.mail.returns.report import Report
from flowscore.web.providers import sns
from flowscore.web.providers.certificates import Certificates, Fetch
from flowscore.web.providers.posts import (
    MalformedError,
    Post,
    Told,
    UnreadError,
    digest,
    gather,
    object_at,
    objects_at,
    read_json,
    read_object,
    status_in,
    text_at,
    time_at,
)
from flowscore.web.refusals import RefusedError

log = logging.getLogger("flowscore")


class AmazonSes:
    """Posts of the allowed topics; a subscription that such a topic offers is confirmed."""

    name = "ses"

    def __init__(self, topics: Collection[str], fetch: Fetch) -> None:
        self.topics = frozenset(topics)
        self.fetch = fetch
        self.certificates = Certificates(fetch)

    async def hear(self, post: Post) -> Told:
        """The one notice of a post, if it is one."""
        _refuse_raw(post)
        message = read_object(post.body)
        topic = sns.topic_of(message, self.topics)
        url = sns.certificate_url(message, topic)
        sns.refuse_forged(message, await self.certificates.at(url, post.at), post.at)
        kind = text_at(message, "Type")
        if kind == sns.CONFIRMATION:
            await self.fetch(sns.confirmation_url(message, topic))
            log.info("the subscription to %s is confirmed", topic)
        elif kind != sns.NOTIFICATION:
            log.warning("%s sends nothing here any more: its subscription was deleted", topic)
        else:
            return gather([_notice(message)], lambda one: read(one, post.at))
        return Told(ignored=1)


def _refuse_raw(post: Post) -> None:
    if post.headers.get("x-amz-sns-rawdelivery", "").lower() == "true":
        raise MalformedError(
            "the message comes without its signature; switch «raw message delivery» off for this "
            "subscription in the console of Amazon SNS"
        )


def _notice(message: dict[str, Any]) -> dict[str, Any]:
    """What the message holds: JSON from SES; a test message of SNS is plain text."""
    try:
        said = read_json(message["Message"] if type(message.get("Message")) is str else "")
    except RefusedError:
        return {}
    return said if type(said) is dict else {}


# --- notices --------------------------------------------------------------------------------------

SOFT = {
    "MailboxFull": "mailbox_full",
    "MessageTooLarge": "too_large",
    "ContentRejected": "refused",
    "AttachmentRejected": "refused",
}
NO_COMPLAINT = ("not-spam", "auth-failure")  # RFC 5965 and 6591: not the person's «this is spam»


def read(notice: dict[str, Any], now: int) -> Iterator[Report]:
    """What a notice says, a report for each recipient it names."""
    word = text_at(notice, "eventType") or text_at(notice, "notificationType")
    if word == "Bounce":
        bounce = object_at(notice, "bounce")
        for report, whom in _reports(notice, bounce, "bouncedRecipients", now):
            yield _bounce(report, bounce, whom)
    elif word == "Complaint":
        complaint = object_at(notice, "complaint")
        if text_at(complaint, "complaintFeedbackType") in NO_COMPLAINT:
            return
        for report, _ in _reports(notice, complaint, "complainedRecipients", now):
            yield Report(what="complained", **report)


def _reports(
    notice: dict[str, Any], told: dict[str, Any], key: str, now: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What every report of a notice has, and the recipient it is about."""
    recipients = objects_at(told, key)
    if not recipients or not all(text_at(one, "emailAddress") for one in recipients):
        raise UnreadError(f"{key}: found nothing, expected objects with an emailAddress")
    message_id = _message_id(object_at(notice, "mail"))
    name = f"ses:{text_at(told, 'feedbackId') or digest(notice)}"
    for place, one in enumerate(recipients):
        yield (
            {
                "at": time_at(told, "timestamp", now),
                # Of a mail of ours a notice counts once, else once for each address.
                "id": name if message_id or not place else f"{name}:{place}",
                "message_id": message_id or None,
                "recipient": text_at(one, "emailAddress"),
            },
            one,
        )


def _message_id(mail: dict[str, Any]) -> str:
    """The Message-ID that we gave the mail: SES replaces it, and tells it among the headers."""
    if found := text_at(object_at(mail, "commonHeaders"), "messageId"):
        return found
    headers = (one for one in objects_at(mail, "headers"))
    named = (one for one in headers if text_at(one, "name").lower() == "message-id")
    return next((text_at(one, "value") for one in named), "")


def _bounce(report: dict[str, Any], bounce: dict[str, Any], whom: dict[str, Any]) -> Report:
    """Permanent is hard, also where SES did not even try because the address is on its list."""
    text = text_at(whom, "diagnosticCode")
    said = {**report, "text": text, "code": status_in(text_at(whom, "status"), text)}
    kind, closer = text_at(bounce, "bounceType"), text_at(bounce, "bounceSubType")
    if closer == "UnsubscribedRecipient":
        return Report(what="unsubscribed", **said)
    if kind == "Permanent":
        return Report(what="bounced", hard=True, kind="no_such_address", **said)
    otherwise = "unreachable" if kind == "Transient" else "undelivered"
    return Report(what="bounced", kind=SOFT.get(closer, otherwise), **said)
