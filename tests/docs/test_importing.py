"""docs/reference/importing.md names every column that an import knows by another name."""

from __future__ import annotations

from docs.pages import CODE, REFERENCE
from flowscore.store.columns import ALIKE, CONTACT_ONLY, EVENT_ONLY


def test_importing_names_every_column_and_synonym() -> None:
    page = (REFERENCE / "importing.md").read_text(encoding="utf-8")
    named = set(CODE.findall(page))
    for groups in (ALIKE, CONTACT_ONLY, EVENT_ONLY):
        for ours, others in groups.items():
            assert {ours, *others.split()} <= named, ours
