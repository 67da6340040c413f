"""Rejects and write keys as they are stored, on both databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flowscore.errors import FlowscoreError
from flowscore.store.rejects import Rejected, Rejects, keep_rejects
from flowscore.store.write_keys import WriteKeys, digest_of

if TYPE_CHECKING:
    from flowscore.store.database import Store

NOW = 1_795_338_000_000_000


def keep(store: Store, *found: Rejected) -> None:
    with store.receive() as connection:
        keep_rejects(connection, found)


def test_rejects_are_kept_once_listed_exported_and_forgotten(store: Store, tmp_path: Path) -> None:
    old = Rejected("shop", "no event", '{"messageId": "m1"}', NOW - 10)
    new = Rejected("blog", "no event", '{"messageId": "m1"}', NOW)
    keep(store, old, new)
    keep(store, old, old._replace(received_at=NOW + 5))
    everything, late = Rejects(store), Rejects(store, since=NOW)
    assert [(g["calls"], g["source"]) for g in everything.by_reason()] == [(1, "blog"), (1, "shop")]
    with late.newest(limit=5) as rows:
        assert [row["source"] for row in rows] == ["blog"]
    number, last = everything.export(tmp_path / "mend.jsonl")
    assert number == 2
    assert json.loads((tmp_path / "mend.jsonl").read_text().splitlines()[0])["messageId"] == "m1"
    keep(store, new._replace(source="app"))
    assert everything.clear(until=last) == 2
    assert [g["source"] for g in everything.by_reason()] == ["app"]


def test_keys_in_use_are_found_by_their_digest(store: Store) -> None:
    keys = WriteKeys(store, lambda: NOW)
    first, second = keys.add("shop", ["https://Shop.example.com:443"]), keys.add("shop")
    assert set(keys.valid()) == {digest_of(first), digest_of(second)}
    assert keys.valid()[digest_of(first)].origins == {"https://shop.example.com"}
    assert [key.digest for key in keys.withdraw(first)] == [digest_of(first)]
    assert set(keys.valid()) == {digest_of(second)}
    with pytest.raises(FlowscoreError, match="lists them"):
        keys.withdraw(first)
    assert len(keys.all()) == 2
