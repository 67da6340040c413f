"""How the statements of a pass speak of a line of `due` (as `d`) and its inbox line (as `i`)."""

from __future__ import annotations

WHO = "who.kind = d.who_kind AND who.value = d.who"  # the contact a line is about
# A row of an import speaks of a new contact as of its creation, of a known one as of the import.
SPOKEN_AT = """CASE WHEN i.quiet AND NOT EXISTS (
    SELECT 1 FROM newcomers n WHERE n.id = who.contact_id) THEN i.received_at ELSE d.own_at END"""
# Whether a change is told as an event.
TOLD = """(NOT i.quiet AND NOT EXISTS (
    SELECT 1 FROM newcomers n WHERE n.id = who.contact_id AND n.ord = d.ord))"""
