"""What a project reads from its surroundings: the environment and `.env`, checked by name."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from flowscore.clock import DAY, MINUTE, parse_duration
from flowscore.errors import FlowscoreError

PREFIX = "FLOWSCORE_"
SHORTEST_KEY = 16
TOPIC = re.compile(  # a region has letters first: `s3-us-west-2` is none
    r"arn:aws(-cn|-us-gov)?:sns:[a-z]{2}(-[a-z]+)+-\d{1,2}:\d{12}:[\w.-]{1,256}", re.A
)


def _read_duration(value: object) -> object:
    """`1 minute` as microseconds; a tick is a whole part of a day, or a whole number of days."""
    if isinstance(value, int):
        return value
    duration = parse_duration(str(value))
    if not duration:
        raise ValueError("a duration such as '1 minute', '15 minutes', '1 hour' or '1 day'")
    return duration


def _read_step(value: object) -> object:
    """The grid's step: it has to fall on every midnight, so that days begin on a tick."""
    step = _read_duration(value)
    if isinstance(step, int) and DAY % step and step % DAY:
        raise ValueError("a step that divides a day, such as '1 minute', '15 minutes' or '1 hour'")
    return step


def _read_smtp_url(value: object) -> object:
    """`smtp://` or `smtps://`, with a host."""
    parts = urlsplit(str(value))
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("smtp://USER:PASSWORD@HOST:587 or smtps://USER:PASSWORD@HOST:465")
    return value


def _read_web_url(value: object) -> object:
    """`https://` or `http://`, with a host; kept without a trailing slash."""
    parts = urlsplit(str(value))
    odd = parts.query or parts.fragment or parts.username
    if parts.scheme not in ("http", "https") or not parts.hostname or odd:
        raise ValueError("an address such as https://mail.example.com")
    return str(value).rstrip("/")


def _read_mailto(value: object) -> object:
    """One mail address, with or without `mailto:`."""
    from email_validator import EmailNotValidError, validate_email

    address = str(value).removeprefix("mailto:")
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError("a mail address such as unsubscribe@example.com") from error
    return address


def _read_bounce_address(value: object) -> object:
    """An address whose local part leaves room for a message's token (RFC 5321 4.5.3.1.1)."""
    from flowscore.mail.returns.verp import LONGEST_LOCAL

    address = str(value).removeprefix("mailto:")
    local, at, domain = address.rpartition("@")
    if not at or not re.fullmatch(r"[A-Za-z0-9._-]+", local) or not domain.isascii():
        raise ValueError("an address of plain letters such as bounces@mail.example.com")
    if len(local) > LONGEST_LOCAL:
        raise ValueError(f"an address with at most {LONGEST_LOCAL} letters before the @")
    return _read_mailto(address)


def _read_bounce_mailbox(value: object) -> object:
    """A Maildir or an IMAP folder, kept as written."""
    from flowscore.mail.returns.mailbox import read_place

    read_place(str(value))
    return value


def _read_database_url(value: object) -> object:
    """`sqlite:///FILE` or `postgresql://…`."""
    if str(value).split(":", 1)[0].split("+")[0] not in ("sqlite", "postgresql", "postgres"):
        raise ValueError("sqlite:///flowscore.db or postgresql://USER:PASSWORD@HOST/NAME")
    return value


def _read_webhook_secret(value: object) -> object:
    """`whsec_` and 24 to 64 bytes in base64, as Standard Webhooks says; several for a change."""
    secrets = str(value).split()
    if not secrets or not all(_is_webhook_secret(one) for one in secrets):
        raise ValueError(
            "whsec_ and 24 to 64 bytes in base64 (left out, webhooks are written to the outbox); "
            "while you change it two, told apart by a blank"
        )
    return " ".join(secrets)


def _is_webhook_secret(text: str) -> bool:
    kind, _, encoded = text.partition("_")
    try:
        return kind == "whsec" and 24 <= len(b64decode(encoded, validate=True)) <= 64
    except ValueError:
        return False


def _read_topics(value: object) -> object:
    """ARNs of SNS topics, told apart by commas or blanks; the region in each is used."""
    topics = str(value).replace(",", " ").split()
    if not topics or not all(TOPIC.fullmatch(one) for one in topics):
        raise ValueError(
            "the ARNs of SNS topics, told apart by commas, such as "
            "arn:aws:sns:eu-west-1:123456789012:mail"
        )
    return " ".join(topics)


def _read_p256_keys(value: object) -> object:
    """Public keys of P-256 in base64, as SendGrid shows them."""
    keys = str(value).split()
    if not keys or not all(_is_p256_key(one) for one in keys):
        raise ValueError(
            "the verification key that SendGrid shows beside «Signed Event Webhook», "
            "MFkwEwYHKoZI… in base64; several told apart by a blank"
        )
    return " ".join(keys)


def _is_p256_key(text: str) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm):
        return False
    return getattr(getattr(key, "curve", None), "name", "") == "secp256r1"


def _read_keys(value: object) -> object:
    """One, or two while it is changed."""
    keys = str(value).split()
    if not keys or any(len(one) < SHORTEST_KEY for one in keys):
        raise ValueError(
            f"at least {SHORTEST_KEY} letters and digits; while you change it two, told apart by "
            "a blank"
        )
    return " ".join(keys)


def _read_allowed(value: object) -> object:
    """Hosts and networks, kept as written."""
    from flowscore.mail.webhooks.addresses import read_reach

    read_reach(str(value))
    return value


class Settings(BaseSettings):
    """One field a setting; its description is the sentence that the reference prints."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        validate_default=False,
    )

    database_url: Annotated[SecretStr | None, BeforeValidator(_read_database_url)] = Field(
        None, description="Where the store is; `flowscore.db` in the project folder when not set."
    )
    outbox: Path = Field(
        Path("outbox"),
        description="The folder for mail as .eml files while no SMTP URL is set, and for webhooks "
        "as .json files while no webhook secret is.",
    )
    smtp_url: Annotated[SecretStr | None, BeforeValidator(_read_smtp_url)] = Field(
        None, description="The server that sends; without it no mail leaves the machine."
    )
    smtp_connections: int = Field(
        4, ge=1, le=64, description="How many connections to the SMTP server send side by side."
    )
    uncertain: Literal["hold", "resend"] = Field(
        "hold",
        description="What becomes of a mail of which a crash left unknown whether it went out: "
        "`hold` keeps it for a person, `resend` sends it again with the same Message-ID.",
    )
    public_url: Annotated[str | None, BeforeValidator(_read_web_url)] = Field(
        None, description="Your address on the web, from which the links in mails are built."
    )
    unsubscribe_mailto: Annotated[str | None, BeforeValidator(_read_mailto)] = Field(
        None, description="A mailbox that takes unsubscriptions; it stands in `List-Unsubscribe`."
    )
    bounce_address: Annotated[str | None, BeforeValidator(_read_bounce_address)] = Field(
        None,
        description="Where mails come back to that cannot be delivered: "
        "`bounces@mail.example.com`. Each mail then has an address of its own to come back to, "
        "`bounces+…@mail.example.com`, which your mail server has to put into the same mailbox.",
    )
    bounce_mailbox: Annotated[SecretStr | None, BeforeValidator(_read_bounce_mailbox)] = Field(
        None,
        description="The mailbox in which those lie: `maildir:/var/mail/bounces` or "
        "`imaps://USER:PASSWORD@HOST/INBOX`. `run` reads it every minute, `bounces` once.",
    )
    secret: SecretStr | None = Field(
        None, description="Signs the links in mails; made once into `.env`. Keep it: old links."
    )
    webhook_secret: Annotated[SecretStr | None, BeforeValidator(_read_webhook_secret)] = Field(
        None,
        description="Signs webhooks (`whsec_…`), and receivers know it too; without it no webhook "
        "leaves the machine.",
    )
    webhook_allow_private: Annotated[str, BeforeValidator(_read_allowed)] = Field(
        "",
        description="Inner hosts and networks that webhooks may reach, told apart by commas: "
        "`crm.internal, 10.0.0.0/8`. All others that are not public are refused.",
    )
    web_host: str = Field(
        "127.0.0.1",
        description="The address on which `run` and `serve` answer; `0.0.0.0` for all of this "
        "machine's, behind a proxy that speaks TLS.",
    )
    web_port: int = Field(8300, ge=0, le=65535, description="The port; 0 takes a free one.")
    web_proxies: str = Field(
        "127.0.0.1",
        description="Proxies whose word on the client's address is believed, told apart by commas.",
    )
    web_max_body: int = Field(
        5 * 1024 * 1024, ge=64 * 1024, description="The most bytes that a request's body may have."
    )
    metrics_token: SecretStr | None = Field(
        None, description="Asked for by `/metrics` as a bearer token; without it none is."
    )
    ses_topics: Annotated[str | None, BeforeValidator(_read_topics)] = Field(
        None,
        description="The SNS topics by which Amazon SES tells of bounces and complaints at "
        "`/hooks/ses`: their ARNs, told apart by commas.",
    )
    sendgrid_public_key: Annotated[str | None, BeforeValidator(_read_p256_keys)] = Field(
        None,
        description="The verification key of SendGrid's signed event webhook, which posts to "
        "`/hooks/sendgrid`.",
    )
    mailgun_signing_key: Annotated[SecretStr | None, BeforeValidator(_read_keys)] = Field(
        None,
        description="Mailgun's HTTP webhook signing key; its webhooks post to `/hooks/mailgun`.",
    )
    postmark_webhook_password: Annotated[SecretStr | None, BeforeValidator(_read_keys)] = Field(
        None,
        description="The password in the URL that Postmark's webhooks post to, `/hooks/postmark`: "
        "16 letters and digits at least, made by you.",
    )
    tick_every: Annotated[int, BeforeValidator(_read_step)] = Field(
        MINUTE, gt=0, description="The step of the tick grid."
    )
    home: Path = Field(
        Path(".flowscore"),
        description="The folder for logs and for Prefect's own data, inside the project.",
    )


def read_settings(root: Path) -> Settings:
    """The settings of the project folder; a bad value says which variable and what it may be."""
    file = root / ".env"
    try:
        settings = Settings(_env_file=file if file.is_file() else None)
    except ValidationError as error:
        raise FlowscoreError(_complaint(error, file)) from error
    return settings.model_copy(update=_anchored(settings, root))


def _anchored(settings: Settings, root: Path) -> dict[str, Any]:
    """Folders are meant from the project folder, wherever the command was called."""
    return {"outbox": root / settings.outbox, "home": root / settings.home}


def _complaint(error: ValidationError, file: Path) -> str:
    """Every bad value at once; secrets are named, never printed."""
    return "\n".join(_sentence(item, file) for item in error.errors())


def _sentence(item: Any, file: Path) -> str:
    name = PREFIX + str(item["loc"][0]).upper()
    place = "the environment" if name in os.environ else str(file)
    field = Settings.model_fields[str(item["loc"][0])]
    shown = "" if "SecretStr" in str(field.annotation) else f" is {item['input']!r}"
    shown = shown or " has a value that cannot be read"
    return f"{name} (from {place}){shown}: expected {_wanted(item)}"


def _wanted(item: Any) -> str:
    """What would have been right: a validator's own words, else those for a number's kind."""
    told = item.get("ctx", {})
    if "error" in told:
        return str(told["error"])
    if item["type"].startswith("int_"):
        return "a whole number"
    return str(item["msg"]).removeprefix("Input should be ")


def secret_of(root: Path, settings: Settings) -> str:
    """The project's secret; made once, into `.env`, readable by its owner alone.

    Looked for again when `settings` have none: another process may have made it since they were
    read, and with a second one the links of every mail that was sent would end.
    """
    if settings.secret:
        return settings.secret.get_secret_value()
    name = f"{PREFIX}SECRET"
    try:
        with _locked(root / ".env") as file:
            found = dotenv_values(stream=file).get(name)
            made = found or secrets.token_urlsafe(32)
            if not found:
                _append(file, f"{name}={made}\n")
    except OSError as error:
        raise FlowscoreError(
            f"{root / '.env'}: cannot write the secret that signs links ({error.strerror}); "
            f"make the folder writable or set {name}"
        ) from error
    return made


def webhook_secrets_of(settings: Settings) -> tuple[str, ...]:
    """What signs webhooks, the newest first; none keeps webhooks on this machine."""
    secret = settings.webhook_secret
    return tuple(secret.get_secret_value().split()) if secret else ()


def environment_of(root: Path) -> dict[str, str]:
    """What `${NAME}` stands for: `.env`, and over it the environment; an empty value is none."""
    file = root / ".env"
    found = {**(dotenv_values(file) if file.is_file() else {}), **_set_in(os.environ)}
    return _set_in(found)


def _set_in(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


@contextmanager
def _locked(file: Path) -> Iterator[IO[str]]:
    """A file that only its owner may read, open to one process at a time."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "r+", encoding="utf-8") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        file.chmod(0o600)
        yield opened


def _append(file: IO[str], line: str) -> None:
    """Add a line, on a line of its own, that is on the disk when this returns."""
    file.seek(0)
    before = file.read()
    file.write("\n" * bool(before and not before.endswith("\n")) + line)
    file.flush()
    os.fsync(file.fileno())


def refuse_unstoppable_mail(settings: Settings, marketing: list[str]) -> None:
    """Marketing mail over SMTP needs a way out of it (RFC 8058): asked before the first is sent.

    `marketing` names the templates that are not transactional.
    """
    if not settings.smtp_url or settings.public_url or settings.unsubscribe_mailto:
        return
    if marketing:
        raise FlowscoreError(
            f"{PREFIX}SMTP_URL is set and {marketing[0]!r} is marketing mail, but nobody could "
            f"unsubscribe: set {PREFIX}UNSUBSCRIBE_MAILTO to a mailbox that you read, or "
            f"{PREFIX}PUBLIC_URL to the address where your unsubscribe page answers"
        )
