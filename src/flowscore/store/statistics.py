"""Tells SQLite's planner how tables compare: the log is long, what one tick changed is short.

Without numbers SQLite takes all tables to be alike, and may walk the whole log to find the few
events that are new. They are written down here once, instead of being counted by ANALYZE, so
that a plan never depends on how full a store is. PostgreSQL counts by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

Numbers = Mapping[tuple[str, str | None], str]

# (table, index): its rows, then how many rows share its first column, its first two, and so on.
# A key made by the table itself is called sqlite_autoindex_TABLE_n.
STORE: Numbers = {
    ("activity", "activity_last"): "1000000 2",
    ("attributes", "attributes_instant"): "5000000 500000 1000",
    ("attributes", "attributes_local"): "5000000 500000 1000",
    ("attributes", "attributes_text"): "5000000 500000 1000",
    ("attributes", "sqlite_autoindex_attributes_1"): "5000000 5 1 1",
    ("balances", "balances_score"): "2000000 1000000 500",
    ("balances", "sqlite_autoindex_balances_1"): "2000000 2 1",
    ("calls", "calls_waiting"): "1000 500",
    ("calls", "sqlite_autoindex_calls_1"): "1000000 1",
    ("cells", "cells_cell"): "1000000 500000 50000",
    ("cells", "cells"): "1000000 2 1",
    ("changes", None): "5000",
    ("claims", "claims_contact"): "1000000 1",
    ("claims", "sqlite_autoindex_claims_1"): "1000000 1 1",
    ("companies", "sqlite_autoindex_companies_1"): "100000 1",
    ("company_attributes", "company_attributes_instant"): "500000 50000 1000",
    ("company_attributes", "company_attributes_local"): "500000 50000 1000",
    ("company_attributes", "sqlite_autoindex_company_attributes_1"): "500000 5 1 1",
    ("company_balances", "sqlite_autoindex_company_balances_1"): "100000 2 1",
    ("consent_records", "consent_records_contact"): "3000000 3",
    ("consents", "sqlite_autoindex_consents_1"): "3000000 3 1",
    ("contacts", "contacts_company"): "1000000 10",
    ("contacts", "contacts_created"): "1000000 2",
    ("contacts", "sqlite_autoindex_contacts_1"): "1000000 1",
    ("decisions", "decisions_contact"): "1000000 2",
    ("decisions", "sqlite_autoindex_decisions_1"): "1000000 50000 2 1",
    ("definitions", "sqlite_autoindex_definitions_1"): "100 30 2 1",
    ("departed", "sqlite_autoindex_departed_1"): "1000 1",
    ("enrollments", "enrollments_contact"): "2000000 3 2",
    ("enrollments", "enrollments_due"): "100000 2",
    ("enrollments", "enrollments_inside"): "100000 2000 1",
    ("enrollments", "enrollments_watched"): "500000 100",
    ("enrollments", "sqlite_autoindex_enrollments_1"): "2000000 100000 2 1",
    ("events", "events_behaviour"): "10000000 2 1",
    ("events", "events_contact"): "20000000 500 5 1",
    ("events", "events_contact_behaviour"): "10000000 10 1",
    ("events", "events_name"): "20000000 1000000 2",
    ("events", "sqlite_autoindex_events_1"): "20000000 1",
    ("events", "events_visitor"): "5000000 20",
    ("fading", "fading"): "1000000 4 3 1",
    ("fading", "fading_next"): "1000000 5000",
    ("forgotten", "sqlite_autoindex_forgotten_1"): "1000 1",
    ("identities", "identities_contact"): "2000000 2",
    ("identities", "sqlite_autoindex_identities_1"): "2000000 1000000 1",
    ("ledger", "ledger_resets"): "1000 2 1 1",
    ("ledger", "ledger_score"): "10000000 5000000 500000",
    ("ledger", "ledger_won"): "8000000 4000000 2 1 1 1",
    ("ledger", "sqlite_autoindex_ledger_1"): "10000000 10 7 3 1",
    ("marks", "marks_contact"): "1000000 3",
    ("marks", "sqlite_autoindex_marks_1"): "1000000 100000 1 1",
    ("members", "members_contact"): "4000000 4",
    ("members", "members_list"): "4000000 200000 100000 2",
    ("members", "members_now"): "2000000 2 1",
    ("messages", "messages_confirm"): "5000 2",
    ("messages", "messages_contact"): "2000000 3 2",
    ("messages", "messages_failed"): "20000 2",
    ("messages", "messages_sent"): "2000000 2",
    ("messages", "messages_uncertain"): "100 2",
    ("messages", "messages_unsaid"): "5000 2",
    ("messages", "messages_waiting"): "5000 2500 2",
    ("messages", "sqlite_autoindex_messages_1"): "2000000 2 1",
    ("messages", "sqlite_autoindex_messages_2"): "2000000 1",
    ("stages", "stages_contact"): "1000000 3",
    ("stages", "stages_now"): "500000 1",
    ("stages", "stages_stage"): "1000000 200000 100000 1",
    ("steps", "sqlite_autoindex_steps_1"): "5000000 3 1",
    ("taken", "sqlite_autoindex_taken_1"): "5000 1",
    ("tallies", "sqlite_autoindex_tallies_1"): "100000 1000 500 50 20 1",
    ("verdicts", "verdicts_text"): "100000 5",
    ("words", "sqlite_autoindex_words_1"): "3000000 1000000 2 1 1",
    ("write_keys", "sqlite_autoindex_write_keys_1"): "20 1",
}


def expect(connection: Connection, schema: str, numbers: Numbers) -> None:
    """Let the planner of SQLite reckon with these; `schema` is main or temp."""
    read_anew = f"ANALYZE {schema}.sqlite_schema"  # counts nothing; makes the table where missing
    connection.exec_driver_sql(read_anew)
    connection.exec_driver_sql(f"DELETE FROM {schema}.sqlite_stat1")
    rows = [(table, index, stat) for (table, index), stat in numbers.items()]
    connection.exec_driver_sql(f"INSERT INTO {schema}.sqlite_stat1 VALUES (?, ?, ?)", rows)
    connection.exec_driver_sql(read_anew)
