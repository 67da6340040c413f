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
from flowscore.store.tables.points import (
    Activity,
    Balance,
    Cell,
    CompanyBalance,
    Fading,
    Line,
    Mark,
    Member,
    StageStay,
)
from flowscore.store.tables.project import Definition, State, Verdict

__all__ = [
    "OURS",
    "PLACED",
    "POINT",
    "SHOWN",
    "TABLES",
    "Activity",
    "Attribute",
    "Balance",
    "Bytewise",
    "Call",
    "Cell",
    "Change",
    "Company",
    "CompanyAttribute",
    "CompanyBalance",
    "Consent",
    "Contact",
    "Decision",
    "Definition",
    "Enrollment",
    "Event",
    "Fading",
    "Identity",
    "InboxLine",
    "Json",
    "Line",
    "Mark",
    "Member",
    "Message",
    "StageStay",
    "State",
    "StepDone",
    "Taken",
    "Verdict",
    "activity",
    "attributes",
    "balances",
    "calls",
    "cells",
    "changes",
    "companies",
    "company_attributes",
    "company_balances",
    "consents",
    "contacts",
    "decisions",
    "definitions",
    "enrollments",
    "events",
    "fading",
    "identities",
    "inbox",
    "ledger",
    "marks",
    "members",
    "messages",
    "stages",
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
fading = TABLES["fading"]
company_balances = TABLES["company_balances"]
activity = TABLES["activity"]
cells = TABLES["cells"]
stages = TABLES["stages"]
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
