"""What the tests of mail providers share: real signatures, and what each provider posts."""

from __future__ import annotations

import base64
import hmac
import json
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

MAILGUN_KEY = "a-key-of-the-tests-0001"
PASSWORD = "a-password-of-the-tests"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:mail"
AMAZON = "https://sns.eu-west-1.amazonaws.com/"
SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())


def public_key(key: ec.EllipticCurvePrivateKey = SENDGRID_KEY) -> str:
    """As SendGrid shows it: DER in base64."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(public).decode()


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
