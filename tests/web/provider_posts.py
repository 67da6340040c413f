"""What the tests of mail providers share: real signatures, and what each provider posts."""

from __future__ import annotations

import base64
import hmac
import json
import random
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from flowscore.clock import SECOND, clock_now, datetime_of, rfc3339
from web.conftest import House
from web.mailed import ANA, message_id

MAILGUN_KEY = "a-key-of-the-tests-0001"
PASSWORD = "a-password-of-the-tests"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
AMAZON = "https://sns.eu-west-1.amazonaws.com/"
NAME = "<welcome@academy.example>"
NOTHING = {"taken": 0, "rejected": 0, "ignored": 1}
ONE = {"taken": 1, "rejected": 0, "ignored": 0}
SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())


def public_key(key: ec.EllipticCurvePrivateKey = SENDGRID_KEY) -> str:
    """As SendGrid shows it: DER in base64."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(public).decode()


EVERY = {
    "SENDGRID_PUBLIC_KEY": public_key(),
    "MAILGUN_SIGNING_KEY": MAILGUN_KEY,
    "POSTMARK_WEBHOOK_PASSWORD": PASSWORD,
}


def post_sendgrid(
    client: httpx.Client,
    events: Any,
    key: ec.EllipticCurvePrivateKey = SENDGRID_KEY,
    at: int = 0,
    sent: bytes = b"",
) -> httpx.Response:
    """Signed at an instant; `sent` is posted in place of what was signed."""
    body = json.dumps(events).encode()
    timestamp = str((at or clock_now()) // SECOND)
    signature = key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
    headers = {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        "Content-Type": "application/json",
    }
    return client.post("/hooks/sendgrid", content=sent or body, headers=headers)


def mailgun_body(event: Any, key: str = MAILGUN_KEY, at: int = 0, token: str = "") -> Any:
    """A body with its signature."""
    timestamp, token = str((at or clock_now()) // SECOND), token or uuid4().hex
    signature = hmac.new(key.encode(), f"{timestamp}{token}".encode(), sha256).hexdigest()
    signed = {"timestamp": timestamp, "token": token, "signature": signature}
    return {"signature": signed, "event-data": event}


def post_mailgun(client: httpx.Client, event: Any, **given: Any) -> httpx.Response:
    """Signed."""
    return client.post("/hooks/mailgun", json=mailgun_body(event, **given))


def post_postmark(client: httpx.Client, record: Any, password: str = PASSWORD) -> httpx.Response:
    """With the password that stands in the URL."""
    return client.post("/hooks/postmark", json=record, auth=("flowscore", password))


@dataclass
class Amazon:
    """Amazon's key and the certificate that it publishes."""

    key: rsa.RSAPrivateKey
    certificate: bytes

    @classmethod
    def made(cls, valid_from: int = 0, days: int = 30) -> Amazon:
        """A new key with a certificate of its own, valid from an instant on."""
        key = rsa.generate_private_key(65537, 2048)
        begin = datetime_of(valid_from or clock_now() - 60 * SECOND)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
        builder = builder.not_valid_before(begin).not_valid_after(begin + timedelta(days=days))
        made = builder.sign(key, SHA256())
        return cls(key, made.public_bytes(Encoding.PEM))

    def notification(self, notice: Any, **given: Any) -> dict[str, str]:
        """As SNS posts it, with the notice as text."""
        said = notice if isinstance(notice, str) else json.dumps(notice)
        return self.signed({"Type": "Notification", "Message": said, **given})

    def confirmation(self, **given: Any) -> dict[str, str]:
        """The offer of a subscription."""
        return self.signed(
            {
                "Type": "SubscriptionConfirmation",
                "Message": "You have chosen to subscribe …",
                "Token": "2336412f37fb",
                "SubscribeURL": f"{AMAZON}?Action=ConfirmSubscription&TopicArn={TOPIC}"
                "&Token=2336412f37fb",
                **given,
            }
        )

    def signed(self, said: dict[str, str]) -> dict[str, str]:
        """Complete, and signed as the developer guide of SNS says: names in the order of bytes."""
        message = {
            "MessageId": str(uuid4()),
            "TopicArn": TOPIC,
            "Timestamp": rfc3339(clock_now() // 1000 * 1000),
            "SignatureVersion": "2",
            "SigningCertURL": f"{AMAZON}SimpleNotificationService-0123abcd.pem",
            **said,
        }
        left_out = ("SignatureVersion", "SigningCertURL", "UnsubscribeURL")
        keys = sorted(key for key in message if key not in left_out)
        text = "".join(f"{key}\n{message[key]}\n" for key in keys).encode()
        made = SHA1() if message["SignatureVersion"] == "1" else SHA256()
        signature = self.key.sign(text, padding.PKCS1v15(), made)
        return {**message, "Signature": base64.b64encode(signature).decode()}


def post_ses(client: httpx.Client, message: Any, **headers: str) -> httpx.Response:
    """As SNS posts: plain text by its content type."""
    sent = {"Content-Type": "text/plain; charset=UTF-8", **headers}
    return client.post("/hooks/ses", content=json.dumps(message), headers=sent)


# --- what they tell ---------------------------------------------------------------------------


def bounce(house: House | None, **given: Any) -> dict[str, Any]:
    """As SendGrid tells of a bounce of Ana's mail."""
    name = message_id(house, ANA) if house else NAME
    return {
        "email": ANA, "timestamp": clock_now() // 10**6, "event": "bounce", "type": "bounce",
        "smtp-id": name, "sg_event_id": "VzcPxPv7SdWvUugt-xKymw",
        "sg_message_id": "142d9f3f351.7618.254f56.filter-147.22649.52A663508.0",
        "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
        "status": "5.1.1", "ip": "192.0.2.1", "tls": 1, **given,
    }  # fmt: skip


def failed(house: House | None, **given: Any) -> dict[str, Any]:
    """As Mailgun tells of a mail of Ana's that it gave up."""
    name = (message_id(house, ANA) if house else NAME).strip("<>")
    return {
        "event": "failed", "severity": "permanent", "reason": "bounce", "id": "G9Bn5sl1TC6nu7",
        "timestamp": clock_now() / 10**6, "recipient": ANA, "log-level": "error",
        "message": {"headers": {"to": ANA, "message-id": name}},
        "delivery-status": {
            "code": 550, "enhanced-code": "5.1.1", "attempt-no": 1, "description": "",
            "message": "5.1.1 The email account that you tried to reach does not exist.",
        },
        "user-variables": {}, "tags": [], **given,
    }  # fmt: skip


def record(**given: Any) -> dict[str, Any]:
    """As Postmark tells of a bounce of Ana's mail."""
    return {
        "RecordType": "Bounce", "ID": 901542550, "Type": "HardBounce", "TypeCode": 1,
        "Name": "Hard bounce", "MessageID": "2706ee8a-737c-4285-b032-ccd317af53ed",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        "Email": ANA, "From": "hello@academy.example", "MessageStream": "outbound",
        "BouncedAt": "2026-04-27T16:28:50.3963933-04:00", "Inactive": True, **given,
    }  # fmt: skip


ODD: list[Any] = [
    None, True, 0, -1, 2**63, 1e308, "", " ", "\x00", "é" * 600, "<@>", "a@b", "2026-02-30T25:00",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", [], [[]], [None], {}, {"x": None},
    "\u202e@example.com", "ana@example.com\r\nBcc: eve@example.net", "'; DROP TABLE contacts --",
]  # fmt: skip


def twisted(event: Any, chance: random.Random) -> Any:
    """The same with a few values that nobody would expect there."""
    if chance.random() < 0.12:
        return chance.choice(ODD)
    if isinstance(event, dict):
        return {key: twisted(value, chance) for key, value in event.items()}
    if isinstance(event, list):
        return [twisted(value, chance) for value in event]
    return event
