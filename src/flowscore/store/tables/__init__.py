"""The tables as SQLModel classes, and the same as plain tables for Core expressions.

Points are integers: a line's worth in 10⁻⁸ points, a balance as shown in 10⁻⁴ points.
Comparison forms (`text`, `number`, `instant`, `local`) are made once by `store/forms.py`.
"""

from __future__ import annotations

from sqlmodel import SQLModel

from flowscore.store.tables.arrivals import (
    Call,
    Change,
    Event,
    InboxLine,
    Reject,
    Taken,
    Tally,
    WriteKey,
)
from flowscore.store.tables.journeys import Decision, Enrollment, Message, StepDone
from flowscore.store.tables.kinds import POINT, SHOWN, Bytewise, Json
from flowscore.store.tables.people import (
    Attribute,
    Claim,
    Company,
    CompanyAttribute,
    Consent,
    ConsentRecord,
    Contact,
    Departed,
    Forgotten,
    Identity,
    Word,
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
    "Claim",
    "Company",
    "CompanyAttribute",
    "CompanyBalance",
    "Consent",
    "ConsentRecord",
    "Contact",
    "Decision",
    "Definition",
    "Departed",
    "Enrollment",
    "Event",
    "Fading",
    "Forgotten",
    "Identity",
    "InboxLine",
    "Json",
    "Line",
    "Mark",
    "Member",
    "Message",
    "Reject",
    "StageStay",
    "State",
    "StepDone",
    "Taken",
    "Tally",
    "Verdict",
    "Word",
    "WriteKey",
    "activity",
    "attributes",
    "balances",
    "calls",
    "cells",
    "changes",
    "claims",
    "companies",
    "company_attributes",
    "company_balances",
    "consent_records",
    "consents",
    "contacts",
    "decisions",
    "definitions",
    "departed",
    "enrollments",
    "events",
    "fading",
    "forgotten",
    "identities",
    "inbox",
    "ledger",
    "marks",
    "members",
    "messages",
    "rejects",
    "stages",
    "state",
    "steps",
    "taken",
    "tallies",
    "verdicts",
    "words",
    "write_keys",
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
rejects = TABLES["rejects"]
write_keys = TABLES["write_keys"]
claims = TABLES["claims"]
words = TABLES["words"]
consent_records = TABLES["consent_records"]
forgotten = TABLES["forgotten"]
departed = TABLES["departed"]
tallies = TABLES["tallies"]


OURS = frozenset(TABLES)
IN_INBOX = frozenset({"inbox", "rejects"})
PLACED = {"store": OURS - IN_INBOX, "inbox": IN_INBOX, "all": OURS}
