"""Taking in what was received: contacts, identities, attributes, consent, and the log."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from .records import Change, Company, Contact, Event, Membership, Order
from .values import Plain, absent, as_list, instant, same_value, slug
from .world import World

SUBSCRIPTIONS = {"subscribed": True, "unsubscribed": False}


@dataclass(frozen=True)
class Call:
    """One line that came in, with the instants at which it happened and was known."""

    at: datetime
    received: datetime
    message_id: str
    raw: dict[str, Any]


@dataclass
class People:
    """Who is who: e-mails and anonymous ids, and the calls that no tick has seen yet."""

    world: World
    rows: list[dict[str, str]]
    quiet: bool = True
    by_email: dict[str, Contact] = field(default_factory=dict)
    by_visitor: dict[str, Contact] = field(default_factory=dict)
    created: int = 0
    became: dict[int, Contact] = field(default_factory=dict)
    inbox: list[Call] = field(default_factory=list)
    own: list[tuple[Contact, Event]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def receive(self, raws: list[dict[str, Any]]) -> None:
        """Put calls into the inbox as live: receipt is `receivedAt`, else their own time (89)."""
        for raw in raws:
            happened, known = moment(raw.get("timestamp")), moment(raw.get("receivedAt"))
            received = known or happened
            if received is None:
                raise NotImplementedError("a call without timestamp and receivedAt")
            own = min(happened, received) if happened else received
            name = raw.get("messageId") or json.dumps(raw, sort_keys=True)
            self.inbox.append(Call(own, received, str(name), raw))

    def take_in(self, changes: list[Change]) -> None:
        """Move what was received up to now into the log, each messageId once (rulings 3 and 9)."""
        now = self.world.now
        for contact, event in self.own:
            seen = replace(event, seen=now)
            contact.events = sorted([*contact.events, seen], key=lambda e: e.order)
        self.own = []
        due = sorted((c for c in self.inbox if c.received <= now), key=lambda c: c.received)
        self.inbox = [call for call in self.inbox if call.received > now]
        fresh: list[Call] = []
        for call in due:
            if call.message_id not in self.seen:
                self.seen.add(call.message_id)
                fresh.append(call)
        for row in [row for row in self.rows if self._arrives(row, fresh)]:
            self.rows.remove(row)
            self._create_from(row)
        ordered = sorted(fresh, key=lambda c: (c.at, c.received, c.message_id))
        # First who is who: what one tick takes in is said of whom a visitor turns out to be.
        met: list[tuple[Call, Contact, bool]] = []
        for call in ordered:
            before = self.created
            contact = self._whose(call)
            met.append((call, contact, contact.number >= before))
        for call, contact, born in met:
            self._apply(call, self.became.get(contact.number, contact), born, changes)

    def _arrives(self, row: dict[str, str], fresh: list[Call]) -> bool:
        created = instant(row["created_at"], self.world.zone)
        if created is None:
            raise NotImplementedError("a contact without created_at")
        emails = {address_of(call.raw) for call in fresh}
        return created <= self.world.now or row["email"].casefold() in emails

    def _create_from(self, row: dict[str, str]) -> None:
        created = instant(row["created_at"], self.world.zone)
        assert created
        contact = self._new(row["email"], created)
        self.by_email[row["email"].casefold()] = contact
        if self.quiet:
            contact.quiet_until, contact.announced = self.world.now, True
        for name, value in row.items():
            if name not in ("email", "created_at", "consent") and not absent(value):
                contact.attributes[name] = value
                contact.attribute_orders[name] = (created, created, "")
        word = (row.get("consent") or "").strip()
        granted = {"yes": True, "no": False}
        for topic in ["email"] if word in granted else [t for t in word.split(";") if t]:
            contact.consent[topic] = granted.get(word, True)
            contact.consent_orders[topic] = (created, created, "")

    def _new(self, email: str | None, created: datetime, visitor: str = "") -> Contact:
        contact = Contact(self.created, email, created, email.casefold() if email else visitor)
        self.created += 1
        self.world.contacts.append(contact)
        return contact

    def _apply(self, call: Call, contact: Contact, born: bool, changes: list[Change]) -> None:
        contact.created_at = min(contact.created_at, call.at)
        raw, kind = call.raw, call.raw["type"]
        if kind == "identify":
            for name, value in (raw.get("traits") or {}).items():
                if name != "email":
                    order = (call.at, call.received, call.message_id)
                    heard = [] if born else changes
                    set_attribute(contact, name, value, order, call.message_id, heard)
            return
        if kind == "group":
            self._join_company(contact, call)
            return
        names = {"track": raw.get("event", ""), "page": "page_viewed", "screen": "screen_viewed"}
        if kind not in names:
            raise NotImplementedError(kind)
        properties = dict(raw.get("properties") or {})
        event = Event(
            slug(names[kind]),
            call.at,
            call.received,
            call.message_id,
            properties,
            properties.get("topic")
            or self.world.project.topics.get(properties.get("template", "")),
            self.world.now,
        )
        contact.events.append(event)
        contact.events.sort(key=lambda e: e.order)
        if event.name in SUBSCRIPTIONS:
            topic = event.properties.get("topic") or "email"
            granted = SUBSCRIPTIONS[event.name]
            set_consent(self.world, contact, topic, granted, event, changes, event.message_id)

    def _join_company(self, contact: Contact, call: Call) -> None:
        """The newest `group` says whose colleague one is; its traits are the company's (96)."""
        name, order = str(call.raw["groupId"]), (call.at, call.received, call.message_id)
        if contact.company_order is None or contact.company_order <= order:
            contact.company, contact.company_order = name, order
        company = self.world.companies.setdefault(name, Company())
        for key, value in (call.raw.get("traits") or {}).items():
            if company.orders.get(key, order) <= order:
                company.attributes[key], company.orders[key] = value, order

    def _whose(self, call: Call) -> Contact:
        email, visitor = address_of(call.raw), call.raw.get("anonymousId")
        known = self.by_email.get(email) if email else None
        if email and known is None:
            known = self._new(str(call.raw["userId"]), call.at)
            self.by_email[email] = known
        stranger = self.by_visitor.get(visitor) if visitor else None
        if known is None:
            if stranger is None:
                stranger = self._new(None, call.at, str(visitor))
                self.by_visitor[str(visitor)] = stranger
            return stranger
        if visitor and stranger is not known:
            if stranger is not None and stranger.email is None:
                self._merge(stranger, known)
            self.by_visitor[visitor] = known
        return known

    def _merge(self, visitor: Contact, known: Contact) -> None:
        """Everything of a visitor moves to the contact that identify names (ruling 71)."""
        self.world.contacts.remove(visitor)
        self.became[visitor.number] = known
        known.created_at = min(known.created_at, visitor.created_at)
        known.events = sorted(known.events + visitor.events, key=lambda e: e.order)
        known.lines += visitor.lines
        for score, rule in sorted(known.standing & visitor.standing):
            stood = [ln for ln in visitor.lines if (ln.score, ln.rule) == (score, rule)][-1]
            if not self.world.void(known, stood):
                self.world.write(known, score, self.world.now, -stood.points, "rule", rule)
        known.standing |= visitor.standing
        known.memberships = united(known.memberships, visitor.memberships)
        known.seen_lists |= visitor.seen_lists
        known.used |= visitor.used
        known.stage_changes += visitor.stage_changes
        for place, mark in visitor.marks.items():
            known.marks[place] = max(mark, known.marks.get(place, mark))
        for place, anchors in visitor.anchors.items():
            known.anchors.setdefault(place, {}).update(anchors)
        for name, value in visitor.attributes.items():
            order = visitor.attribute_orders[name]
            if name not in known.attributes or known.attribute_orders[name] < order:
                known.attributes[name], known.attribute_orders[name] = value, order
        company = visitor.company_order
        if company and (known.company_order is None or known.company_order < company):
            known.company, known.company_order = visitor.company, company
        for topic, order in visitor.consent_orders.items():
            if known.consent_orders.get(topic, order) <= order:
                known.consent[topic] = visitor.consent[topic]
                known.consent_orders[topic] = order


def united(ours: list[Membership], theirs: list[Membership]) -> list[Membership]:
    """Memberships of both; where both are in a list now, one stay from the earlier joining."""
    stays = list(ours)
    for stay in theirs:
        twin = next(
            (s for s in stays if s.name == stay.name and s.left_at is None is stay.left_at), None
        )
        if twin is None:
            stays.append(stay)
        else:
            twin.joined_at = min(twin.joined_at, stay.joined_at)
    return stays


def moment(text: Plain) -> datetime | None:
    """An RFC 3339 instant."""
    return None if text is None else datetime.fromisoformat(str(text)).astimezone(UTC)


def address_of(raw: dict[str, Any]) -> str | None:
    """The e-mail that a call names by its `userId` (ruling 71b), casefolded."""
    user = raw.get("userId")
    if user is None:
        return None
    if "@" not in user:
        raise NotImplementedError("a userId that is no e-mail address")
    return str(user).casefold()


def set_attribute(
    contact: Contact, name: str, value: Plain, order: Order, key: str, changes: list[Change]
) -> bool:
    """Write a newer value; a real change is noticed (rulings 27 and 48)."""
    old = contact.attributes.get(name)
    if name in contact.attribute_orders and contact.attribute_orders[name] > order:
        return False
    contact.attribute_orders[name] = order
    if (absent(old) and absent(value)) or alike(old, value):
        return False
    contact.attributes[name] = None if absent(value) else value
    said = {"attribute": name, "from": old, "to": value}
    event = Event("attribute_changed", order[0], order[1], f"{key}:{name}", said)
    changes.append(Change("attribute", contact, order[0], name, old, value, f"{key}:{name}", event))
    return True


def set_consent(
    world: World,
    contact: Contact,
    topic: str,
    granted: bool,
    event: Event,
    changes: list[Change],
    key: str,
) -> None:
    """Hear a newer word on a topic; what was not so before is noticed, as one change (81)."""
    topics = [topic]
    if topic == "all":
        topics = ["email"] if granted else ["email", *world.project.policy.topics]
    changed: list[str] = []
    for one in topics:
        if event.order >= contact.consent_orders.get(one, event.order):
            if contact.consent.get(one) is not granted:
                changed.append(one)
            contact.consent[one] = granted
            contact.consent_orders[one] = event.order
    if changed:
        kind = "subscribed" if granted else "unsubscribed"
        changes.append(Change(kind, contact, event.at, topic, None, changed, key, event))


def alike(old: Plain, new: Plain) -> bool:
    """Whether two values are the same under `is`; lists element by element."""
    if isinstance(old, list) or isinstance(new, list):
        ours, theirs = as_list(old), as_list(new)
        return len(ours) == len(theirs) and all(map(same_value, ours, theirs))
    return same_value(old, new)
