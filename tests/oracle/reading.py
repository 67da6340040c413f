"""Reads a project's YAML text into the records of `model`, refusing what this reading lacks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import yaml

from .model import EventFilter, Trigger
from .values import Plain, as_list, duration, plain_path, slug


class PlainLoader(yaml.SafeLoader):
    """YAML 1.2 core as a person expects it: dates, `on`, `NO`, 09:00 and 007 stay text."""


PlainLoader.yaml_implicit_resolvers = {}
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf")
)
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(null|~|)$"), ["n", "~", ""]
)
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^-?(0|[1-9][0-9]*)$"), list("-0123456789")
)
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^-?(0|[1-9][0-9]*)\.[0-9]+$"),
    list("-0123456789"),
)


def read_yaml(text: str) -> list[Plain]:
    """The documents of one file."""
    return [d for d in yaml.load_all(text, Loader=PlainLoader) if d is not None]


def known(mapping: Mapping[str, Plain], *keys: str) -> None:
    """Refuse keys that this reading does not cover, by name."""
    for key in mapping:
        if key not in keys:
            raise NotImplementedError(key)


# Triggers


def read_triggers(value: Plain) -> tuple[Trigger, ...]:
    """One trigger, or a list of them (any)."""
    return tuple(read_trigger(one) for one in as_list(value))


PLAIN_KINDS = ("score", "contact_created", "manual")
NAMED = {
    "list_joined": "lists",
    "list_left": "lists",
    "subscribed": "topics",
    "unsubscribed": "topics",
}
CLOCKS = {
    "schedule": ("cron", "at", "timezone"),
    "date": ("attribute", "property", "offset", "at", "timezone", "every"),
}
SENT_KINDS = ("email_not_opened", "email_not_clicked")


def read_trigger(value: Plain) -> Trigger:
    """One trigger by its key."""
    if isinstance(value, str):
        value = {value: None}
    ((kind, options),) = value.items()
    if kind in EVENT_KEYS:
        return Trigger("event", events=read_filter(kind, options))
    if kind == "no_event":
        return read_no_event(options)
    if kind in SENT_KINDS:
        return read_left_alone(kind, mail_options(options))
    if kind == "inactive":
        return Trigger("inactive", within=duration(options))
    if kind in NAMED:
        return Trigger(kind, {NAMED[kind]: as_list(options)})
    if kind in CLOCKS:
        known(options, *CLOCKS[kind])
        return Trigger(kind, options)
    if kind == "grade":
        return Trigger(kind, entering_cells(options))
    if kind == "stage":
        return Trigger(kind, {"stages": entering(options)})
    return read_plain(kind, options)


def read_left_alone(kind: str, options: Mapping[str, Plain]) -> Trigger:
    """A mail that nobody opened, or clicked."""
    known(options, "template", "topic", "within")
    sent = {key: inner for key, inner in options.items() if key != "within"}
    filtered = read_filter("email_sent", sent)
    return Trigger(kind, events=filtered, within=duration(options["within"]))


def read_plain(kind: str, options: Plain) -> Trigger:
    """A trigger whose options are read where they are asked for."""
    if kind == "attribute":
        ((name, change),) = options.items()
        known(change, "from", "to")
        return Trigger(kind, {"name": name, **change})
    if kind in PLAIN_KINDS:
        return Trigger(kind, options or {})
    raise NotImplementedError(kind)


def entering(options: Mapping[str, Plain]) -> list[Plain]:
    """What is entered."""
    known(options, "enters")
    return as_list(options["enters"])


def entering_cells(options: Mapping[str, Plain]) -> dict[str, Plain]:
    """`{enters: [A4]}`, with several grades below the name of one."""
    if "enters" in options:
        return {"grade": None, "cells": entering(options)}
    ((grade, inner),) = options.items()
    return {"grade": grade, "cells": entering(inner)}


def read_no_event(options: Mapping[str, Plain]) -> Trigger:
    """`no_event` with its anchor."""
    known(options, "name", "where", "after", "within", "same")
    if "after" not in options:
        raise NotImplementedError("no_event without after")
    ((kind, anchor),) = options["after"].items()
    awaited = {key: options[key] for key in ("name", "where") if key in options}
    return Trigger(
        "no_event",
        events=read_filter(kind, anchor),
        awaited=read_filter("event", awaited),
        within=duration(options["within"]),
        same=tuple(as_list(options.get("same"))),
    )


# Events

OWN_EVENTS = frozenset(
    "list_joined list_left attribute_changed contact_created stage_changed".split()
)
"""Events that this reading keeps as changes and not in its log."""

MAIL_KEYS = "email_sent email_opened email_clicked email_replied email_bounced".split()
EVENT_KEYS = ("event", "page_visited", *MAIL_KEYS)
COUNTED = "where times within older_than since sum same machine".split()


def mail_options(options: Plain) -> dict[str, Plain]:
    """`email_opened: NAME` is short for `{template: NAME}`."""
    return dict(options) if isinstance(options, dict) else {"template": options}


def read_filter(kind: str, options: Plain) -> EventFilter:
    """The events that a trigger or condition counts, from any of the short forms (ruling 87)."""
    own: tuple[str, ...] = ("template", "topic", "link")
    if kind == "event":
        options = options if isinstance(options, dict) else {"name": options}
        names, own = frozenset(slug(name) for name in as_list(options["name"])), ("name",)
        if names & OWN_EVENTS:
            raise NotImplementedError(f"event: {min(names & OWN_EVENTS)}")
    elif kind == "page_visited":
        options = options if isinstance(options, dict) else {"path": options}
        names, own = frozenset({"page_viewed"}), ("path",)
    elif kind in MAIL_KEYS:
        options, names = mail_options(options), frozenset({kind})
    else:
        raise NotImplementedError(kind)
    known(options, *COUNTED, *own)
    found = counting(options, names)
    paths = words(options, "path")
    return replace(
        found,
        paths=tuple(plain_path(path) for path in paths) if paths else None,
        templates=words(options, "template"),
        topics=words(options, "topic"),
        links=words(options, "link"),
    )


def counting(options: Mapping[str, Plain], names: frozenset[str]) -> EventFilter:
    """What every counted event may ask: properties, how many, when, agreeing on what."""
    since = options.get("since")
    if since not in (None, "entered"):
        raise NotImplementedError(f"since: {since}")
    return EventFilter(
        names,
        options.get("where") or {},
        machine=options.get("machine", False),
        times=options.get("times"),
        sums=options.get("sum") or {},
        within=duration(options["within"]) if "within" in options else None,
        older_than=duration(options["older_than"]) if "older_than" in options else None,
        since_entry=since == "entered",
        same=tuple(as_list(options.get("same"))),
    )


def words(options: Mapping[str, Plain], key: str) -> tuple[str, ...] | None:
    """The names of which any may stand; None where any at all may."""
    found = tuple(as_list(options.get(key)))
    return found if found and "any" not in found else None
