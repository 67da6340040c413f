"""Reads Segment-style calls into inbox lines, for every door by which they come.

Event names become slugs, paths and comparison forms are made here, once (rulings 4, 9, 26, 63,
64, 71b, 81, 118 and 125). A call that cannot be read gives a `Reject` and never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import orjson

from flowscore.store.addresses import Address, read_address
from flowscore.store.feedback import FEEDBACK, read_feedback
from flowscore.store.fields import (
    LONGEST,
    Call,
    Reading,
    RefusedError,
    Reject,
    id_at,
    kind_of,
    mapping,
    message_id,
    shown,
    text_at,
    times,
    who,
)
from flowscore.store.forms import attribute_forms, flatten, forms_of, leaves
from flowscore.store.inbox import InboxRow

PAGE = "page_viewed"  # also tracked by that name, as a CSV file does
NAMED = {"page": PAGE, "screen": "screen_viewed"}
RENAMED = {"email_link_clicked": "email_clicked", "email_marked_as_spam": "email_complained"}
HUMAN = frozenset({"email_opened", "email_clicked", "email_replied"})
NO_BEHAVIOUR = frozenset({"email_sent", "email_delivered", "email_delayed", "email_bounced",
                          "email_complained", "subscribed", "unsubscribed", "list_joined",
                          "list_left", "stage_changed", "attribute_changed", "contact_created",
                          FEEDBACK})  # fmt: skip
CONSENT = {"subscribed": True, "unsubscribed": False}
GENERAL = "email"  # consent to mail in general, beside that of each topic
LONGEST_NAME = 200  # letters of an attribute's name
LONGEST_TOPIC = 100  # letters; an index holds it beside an id of 500
CONTEXT_ASIDE = frozenset({"library", "traits"})
KINDS = "track, page, screen, identify, group or alias"


def read_call(call: Any, reading: Reading) -> InboxRow | Reject:
    """The inbox line of a call."""
    try:
        return _read(call, reading)
    except RefusedError as refused:
        return Reject(str(refused), content=call)
    except (RecursionError, orjson.JSONEncodeError):
        return Reject("nested too deeply", content=call)


def _read(call: Any, reading: Reading) -> InboxRow:
    if type(call) is not dict:
        raise RefusedError(f"found {kind_of(call)}, expected an object with the call's fields")
    kind = call.get("type") or _guess(call)
    read = READERS.get(kind) if isinstance(kind, str) else None
    if read is None or not isinstance(kind, str):
        raise RefusedError(f"type: found {shown(kind)}, expected {KINDS}")
    return read(call, kind, reading)


def _guess(call: Call) -> str | None:
    """Files often leave the type out: an event makes it a track, traits an identify."""
    if call.get("event"):
        return "track"
    return "identify" if "traits" in call else None


# --- events -----------------------------------------------------------------------------------


def _read_track(call: Call, kind: str, reading: Reading) -> InboxRow:
    name = slug(call.get("event"))
    properties = mapping(call, "properties")
    if name == FEEDBACK:
        properties = read_feedback(properties)
    forms = flatten(properties)
    path = _set_path(properties, forms) if "path" in properties or "url" in properties else None
    return _event(call, name, properties, forms, reading, path if name == PAGE else None)


def _read_page(call: Call, kind: str, reading: Reading) -> InboxRow:
    properties = mapping(call, "properties")
    context = call.get("context")
    page = context.get("page") if type(context) is dict else None
    if kind == "page" and type(page) is dict:
        properties = {**page, **properties}
    if call.get("name") and "name" not in properties:
        properties = {**properties, "name": call["name"]}
    forms = flatten(properties)
    path = _set_path(properties, forms)
    return _event(call, NAMED[kind], properties, forms, reading, path if kind == "page" else None)


def _event(
    call: Call,
    name: str,
    properties: dict[str, Any],
    forms: dict[str, Any],
    reading: Reading,
    subject: str | None = None,
) -> InboxRow:
    user_kind, user_value, email, folded, anonymous = who(call)
    own_at, received_at = times(call, reading)
    topic = mail_key = consents = None
    machine = False
    behaviour = name not in NO_BEHAVIOUR
    if name.startswith("email_"):
        subject = text_at(properties, "template")
        topic = text_at(properties, "topic")
        mail_key = _first_text(properties, MAIL_IDS)
        machine = _is_true(properties.get("machine"))
        behaviour = behaviour and not (machine and name in HUMAN)
        if name == "email_clicked":
            properties, forms = _with_link(properties, forms)
    elif name in CONSENT:
        said = [[one, CONSENT[name]] for one in _topics(properties, CONSENT[name])]
        consents = orjson.dumps(said).decode()
    properties, forms = _with_context(call, properties, forms)
    return InboxRow(
        message_id(call), "track", name, user_kind, user_value, email, folded, anonymous,
        own_at, received_at, int(reading.historical), 0, subject, topic, mail_key, int(machine),
        int(behaviour), orjson.dumps(properties).decode(), orjson.dumps(forms).decode(),
        None, consents, None, f"event {name}" if consents else "", reading.source,
    )  # fmt: skip


MAIL_IDS = ("message_id", "messageId", "email_id")
LINKS = ("link", "link_url", "url")


def _first_text(properties: dict[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((found for key in keys if (found := text_at(properties, key))), None)


def _is_true(value: Any) -> bool:
    return value is True or (type(value) is str and value.casefold() == "true")


def _with_link(
    properties: dict[str, Any], forms: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Segment calls the link that was clicked `link_url`; `link` holds it here."""
    link = _first_text(properties, LINKS)
    if link is None or "link" in properties:
        return properties, forms
    return {**properties, "link": link}, {**forms, "link": forms_of(link)}


def _topics(properties: dict[str, Any], granted: bool) -> list[str]:
    """What a call is about: topics, each once, else mail in general; `all` is all there is to say.

    Nobody subscribes to topics that they do not know: `all` then means mail in general.
    """
    given = properties.get("topic") or properties.get("topics")
    named = [_topic(one) for one in (given if type(given) is list else [given])]
    topics = list(dict.fromkeys(topic for topic in named if topic)) or [GENERAL]
    if "all" not in topics:
        return topics
    return [GENERAL] if granted else ["all"]


def _topic(given: Any) -> str:
    if given is None:
        return ""
    if type(given) in (dict, list) or len(str(given)) > LONGEST_TOPIC:
        raise RefusedError(
            f"topic: found {shown(given)}, expected the name of a topic, at most {LONGEST_TOPIC} "
            "letters"
        )
    return str(given).strip().casefold()


def _with_context(
    call: Call, properties: dict[str, Any], forms: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Unknown keys are kept: the context as a property, of which the campaign is compared."""
    context = call.get("context")
    if type(context) is not dict:
        return properties, forms
    kept = {key: value for key, value in context.items() if key not in CONTEXT_ASIDE}
    if not kept or "context" in properties:
        return properties, forms
    if campaign := kept.get("campaign"):
        forms = forms | flatten({"context": {"campaign": campaign}})
    return {**properties, "context": kept}, forms


@lru_cache(maxsize=10_000)
def _slug(name: str) -> str:
    found = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return RENAMED.get(found, found)


def slug(name: Any) -> str:
    """An event's name as it is stored (ruling 64)."""
    if type(name) is not str or not name.strip():
        raise RefusedError("event: found nothing, expected the name of what happened")
    if len(name) > LONGEST:
        raise RefusedError(f"event: found {len(name)} letters, expected at most {LONGEST}")
    found = _slug(name)
    if not found:
        raise RefusedError(f"event: {shown(name)} has neither Latin letters nor digits")
    return found


def _set_path(properties: dict[str, Any], forms: dict[str, Any]) -> str | None:
    """The path of ruling 63, also as what `path` is compared by."""
    path = properties.get("path")
    if type(path) is not str or not path:
        url = properties.get("url")
        if type(url) is not str or not url:
            return None
        path = _path_of(url)
    plain = plain_path(path)
    forms["path"] = [[plain]]
    return plain


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:  # something between brackets that is no address
        return url


def plain_path(path: str) -> str:
    """Without query, fragment and trailing slash, in lower case."""
    return re.split("[?#]", path, maxsplit=1)[0].rstrip("/").lower() or "/"


# --- what is said of contacts -----------------------------------------------------------------


def _read_identify(call: Call, kind: str, reading: Reading) -> InboxRow:
    user_kind, user_value, email, folded, anonymous = who(call)
    own_at, received_at = times(call, reading)
    context = call.get("context")
    inner = context.get("traits") if type(context) is dict else None
    traits = {**(inner if type(inner) is dict else {}), **mapping(call, "traits")}
    traits.pop("email", None)  # an identity, not an attribute
    return InboxRow(
        message_id(call), "identify", None, user_kind, user_value, email, folded, anonymous,
        own_at, received_at, int(reading.historical), traits=written_traits(traits),
        properties=orjson.dumps(call).decode(), source=reading.source,
    )  # fmt: skip


def written_traits(traits: dict[str, Any]) -> str | None:
    """`[name, value, forms]` of each; names stand in an index, whose entries are bounded."""
    said = [[n, v, attribute_forms(v)] for n, v in leaves(traits).items() if n]
    if long := next((name for name, *_ in said if len(name) > LONGEST_NAME), None):
        raise RefusedError(
            f"traits: found a name of {len(long)} letters, expected at most {LONGEST_NAME}"
        )
    return orjson.dumps(said).decode() if said else None


def _read_group(call: Call, kind: str, reading: Reading) -> InboxRow:
    """The company stands in `subject`, its traits in `forms`; they name no contact."""
    key = id_at(call, "groupId")
    if key is None:
        raise RefusedError("groupId: found nothing, expected the company's id")
    traits = mapping(call, "traits")
    user_kind, user_value, email, folded, anonymous = who({**call, "traits": None})
    own_at, received_at = times(call, reading)
    return InboxRow(
        message_id(call), kind, None, user_kind, user_value, email, folded, anonymous,
        own_at, received_at, int(reading.historical), subject=key,
        properties=orjson.dumps(call).decode(), forms=written_traits(traits),
        source=reading.source,
    )  # fmt: skip


def _read_alias(call: Call, kind: str, reading: Reading) -> InboxRow:
    """What they were called before stands in `subject`, its kind in `topic`.

    A former address beside a userId is named like the address of an `identify`.
    """
    ids = {key: call.get(key) for key in ("userId", "anonymousId")}
    user_kind, user_value, email, folded, anonymous = who(ids)
    if user_kind is None:
        raise RefusedError("userId: found nothing, expected who they are called from now on")
    before, former, address = _former(call, anonymous)
    if address and user_kind == "user":
        email, folded = address
    own_at, received_at = times(call, reading)
    return InboxRow(
        message_id(call), kind, None, user_kind, user_value, email, folded, anonymous,
        own_at, received_at, int(reading.historical), subject=former, topic=before,
        properties=orjson.dumps(call).decode(), source=reading.source,
    )  # fmt: skip


def _former(call: Call, anonymous: str | None) -> tuple[str, str | None, Address | None]:
    """Kind and value of what an alias was called before: address, id, or only its anonymousId."""
    former = id_at(call, "previousId")
    if former is None:
        if anonymous is None:
            raise RefusedError("previousId: found nothing, expected what they were called before")
        return "anonymous", None, None
    address = read_address(former) if "@" in former else None
    return ("email", address.folded, address) if address else ("user", former, None)


READERS: dict[str, Callable[[Call, str, Reading], InboxRow]] = {
    "track": _read_track,
    "page": _read_page,
    "screen": _read_page,
    "identify": _read_identify,
    "group": _read_group,
    "alias": _read_alias,
}
