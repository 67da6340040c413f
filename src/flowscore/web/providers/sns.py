"""Amazon SNS: the envelope in which SES sends its notices, and the proof that it is Amazon's.

As in the SNS developer guide: «Verifying the signatures of Amazon SNS messages» for the string
that is signed and for SignatureVersion 1 and 2, «Message delivery retries» for how late it may be.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Collection
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.x509 import Certificate

from flowscore.clock import HOUR, datetime_of
from flowscore.web.providers.posts import (
    ForgedError,
    MalformedError,
    moment_at,
    refuse_untimely,
    text_at,
)

NOTIFICATION, CONFIRMATION = "Notification", "SubscriptionConfirmation"
OLDEST = 2 * HOUR  # SNS tries again for one, with the time of the first attempt

_CHANGE = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: _CHANGE,
    "UnsubscribeConfirmation": _CHANGE,
}
HASHES: dict[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}
CERTIFICATE = re.compile(r"[A-Za-z0-9._-]{1,200}\.pem")
CONFIRMS = re.compile(r"\?Action=ConfirmSubscription&[A-Za-z0-9%&=:._~+-]{1,2000}")


class BarredError(ForgedError):
    """A topic or an address that is not ours to listen to."""

    status = 403
    code = "not_allowed"


def topic_of(message: dict[str, Any], allowed: Collection[str]) -> str:
    """The message's topic, one of those allowed."""
    topic = message.get("TopicArn")
    if type(topic) is not str or topic not in allowed:
        raise BarredError(
            "TopicArn is none of FLOWSCORE_SES_TOPICS; write the topic's ARN there, as the console "
            "of Amazon SNS shows it"
        )
    return topic


# --- where Amazon is asked ------------------------------------------------------------------------


def host_of(topic: str) -> str:
    """Where SNS answers for a topic: in the topic's own region, which the settings name.

    Not whatever looks like SNS: `sns.s3-us-west-2.amazonaws.com` would be somebody's bucket.
    """
    _, partition, _, region, *_ = topic.split(":")
    return f"sns.{region}.amazonaws.com" + (".cn" if partition == "aws-cn" else "")


def certificate_url(message: dict[str, Any], topic: str) -> str:
    """SigningCertURL."""
    return _address(message, "SigningCertURL", topic, CERTIFICATE)


def confirmation_url(message: dict[str, Any], topic: str) -> str:
    """SubscribeURL."""
    return _address(message, "SubscribeURL", topic, CONFIRMS)


def _address(message: dict[str, Any], key: str, topic: str, path: re.Pattern[str]) -> str:
    start = f"https://{host_of(topic)}/"
    url = message.get(key)
    if type(url) is str and url.startswith(start) and path.fullmatch(url[len(start) :]):
        return url
    raise BarredError(f"{key}: expected an address on {start} of the form that Amazon SNS uses")


# --- the signature --------------------------------------------------------------------------------


def refuse_forged(message: dict[str, Any], certificate: Certificate, now: int) -> None:
    """Raises unless the message is signed with the certificate, and both are of this time."""
    key, moment = certificate.public_key(), datetime_of(now)
    if not isinstance(key, RSAPublicKey) or not (
        certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc
    ):
        raise ForgedError("the certificate at SigningCertURL is not valid now", "bad_certificate")
    made = HASHES.get(text_at(message, "SignatureVersion"))
    if made is None:
        raise MalformedError("SignatureVersion: expected 1 or 2")
    try:
        key.verify(_signature(message), signed_text(message), PKCS1v15(), made())
    except InvalidSignature:
        raise ForgedError("the signature is not that of Amazon SNS") from None
    refuse_untimely(moment_at(message, "Timestamp"), now, OLDEST)


def signed_text(message: dict[str, Any]) -> bytes:
    """Names and values of the signed keys, each on a line of its own; absent keys are left out."""
    keys = SIGNED.get(text_at(message, "Type"))
    if keys is None:
        raise MalformedError(f"Type: expected {', '.join(SIGNED)}")
    said = [(key, message[key]) for key in keys if message.get(key) is not None]
    if any(type(value) is not str for _, value in said):
        raise MalformedError("a value that is signed is not text")
    return "".join(f"{key}\n{value}\n" for key, value in said).encode()


def _signature(message: dict[str, Any]) -> bytes:
    try:
        return b64decode(text_at(message, "Signature"), validate=True)
    except (binascii.Error, ValueError):
        return b""
