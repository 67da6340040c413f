"""The tables as SQLModel classes, and the same as plain tables for Core expressions.

Points are integers: a line's worth in 10⁻⁸ points, a balance as shown in 10⁻⁴ points.
Comparison forms (`text`, `number`, `instant`, `local`) are made once by `store/forms.py`.
"""

from __future__ import annotations

from sqlmodel import SQLModel

from flowscore.store.tables.arrivals import Call, Change, Event, InboxLine, Taken
from flowscore.store.tables.journeys import Decision, Enrollment, Message, StepDone
from flowscore.store.tables.kinds import POINT, SHOWN, Bytewise, Json
from flowscore.store.tables.people import (
    Attribute,
    Company,
    CompanyAttribute,
    Consent,
    Contact,
    Identity,
)
from flowscore.store.tables.points import Balance, Line, Mark, Member
from flowscore.store.tables.project import Definition, State, Verdict

__all__ = [
    "OURS",
    "PLACED",
    "POINT",
    "SHOWN",
    "TABLES",
    "Attribute",
    "Balance",
    "Bytewise",
    "Call",
    "Change",
    "Company",
    "CompanyAttribute",
    "Consent",
    "Contact",
    "Decision",
    "Definition",
    "Enrollment",
    "Event",
    "Identity",
    "InboxLine",
    "Json",
    "Line",
    "Mark",
    "Member",
    "Message",
    "State",
    "StepDone",
    "Taken",
    "Verdict",
    "attributes",
    "balances",
    "calls",
    "changes",
    "companies",
    "company_attributes",
    "consents",
    "contacts",
    "decisions",
    "definitions",
    "enrollments",
    "events",
    "identities",
    "inbox",
    "ledger",
    "marks",
    "members",
    "messages",
    "state",
    "steps",
    "taken",
    "verdicts",
]

TABLES = SQLModel.metadata.tables
contacts = TABLES["contacts"]
identities = TABLES["identities"]
attributes = TABLES["attributes"]
companies = TABLES["companies"]
company_attributes = TABLES["company_attributes"]
consents = TABLES["consents"]
events = TABLES["events"]
inbox = TABLES["inbox"]
calls = TABLES["calls"]
changes = TABLES["changes"]
definitions = TABLES["definitions"]
ledger = TABLES["ledger"]
balances = TABLES["balances"]
members = TABLES["members"]
marks = TABLES["marks"]
enrollments = TABLES["enrollments"]
steps = TABLES["steps"]
decisions = TABLES["decisions"]
messages = TABLES["messages"]
verdicts = TABLES["verdicts"]
state = TABLES["state"]
taken = TABLES["taken"]


OURS = frozenset(TABLES)
PLACED = {"store": OURS - {"inbox"}, "inbox": frozenset({"inbox"}), "all": OURS}
