"""`flowscore keys`: made and shown once, listed, withdrawn; only hashes are kept."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Run, Said

Keys = Callable[..., Said]
SHOP = "https://shop.example.com"


@pytest.fixture
def folder(write_project: Callable[[dict[str, str]], Path]) -> Path:
    return write_project({"scenarios/policy.yaml": "policy: house\n"})


@pytest.fixture
def keys(run: Run, folder: Path) -> Keys:
    return lambda *words: run("--project", folder, "keys", *words)


def test_a_key_is_shown_once_and_kept_as_a_hash(keys: Keys, folder: Path) -> None:
    said = keys("add", "shop-web", "--origin", SHOP)
    key = said.out.strip()
    assert re.fullmatch(r"fs_[A-Za-z0-9_-]{32}", key)
    assert "only its hash is kept" in said.err
    with sqlite3.connect(folder / "flowscore.db") as database:
        (row,) = database.execute("SELECT digest, hint FROM write_keys")
    assert row == (hashlib.sha256(key.encode()).hexdigest(), key[:9])
    stored = b"".join(path.read_bytes() for path in folder.glob("*.db*"))
    assert key.encode() not in stored
    assert key not in keys().out


def test_keys_are_listed_with_what_they_are_for(keys: Keys) -> None:
    key = keys("add", "shop-web", "--origin", SHOP, "--origin", "https://B.example.com:443/").out
    keys("add", "billing")
    listed = keys().out
    assert key[:9] in listed
    assert "https://b.example.com, https://shop.example.com" in listed
    assert [row["source"] for row in keys("--json").json] == ["billing", "shop-web"]
    assert keys("--json").json[1]["withdrawn_at"] is None


def test_none_yet_says_what_to_do(keys: Keys) -> None:
    assert "flowscore keys add SOURCE" in keys().out
    assert keys("--json").json == []


def test_as_json_for_programs(keys: Keys) -> None:
    made = keys("add", "shop", "--json").json
    assert (made["source"], made["origins"]) == ("shop", [])
    assert made["key"].startswith("fs_")


@pytest.mark.parametrize("by", ["source", "hint", "whole"])
def test_a_key_is_withdrawn_by_its_source_or_first_letters(keys: Keys, by: str) -> None:
    key = keys("add", "shop").out.strip()
    keys("add", "other")
    named = {"source": "shop", "hint": key[:9], "whole": key}[by]
    said = keys("withdraw", named)
    assert (said.code, f"{key[:9]}… of shop is withdrawn" in said.out) == (0, True)
    rows = {row["source"]: row["withdrawn_at"] for row in keys("--json").json}
    assert rows["shop"]
    assert rows["other"] is None
    again = keys("withdraw", named)
    assert again.code == 1
    assert "flowscore keys" in again.err


def test_a_source_changes_its_key_for_another(keys: Keys) -> None:
    old, new = keys("add", "shop").out.strip(), keys("add", "shop").out.strip()
    keys("withdraw", old[:9])
    rows = {row["key"]: row["withdrawn_at"] for row in keys("--json").json}
    assert rows[f"{old[:9]}…"]
    assert rows[f"{new[:9]}…"] is None


@pytest.mark.parametrize("source", ["", "Shop", "my shop", "a" * 65, "-x", "é"])
def test_a_source_is_named_plainly(keys: Keys, source: str) -> None:
    said = keys("add", "--", source)
    assert said.code == 1
    assert "small letters, digits" in said.err


@pytest.mark.parametrize(
    "origin", ["shop.example.com", "https://shop.example.com/pricing", "ftp://x.example", "*",
               "https://", "https://[", "https://a:b@x.example", "https://x.example:99999"],
)  # fmt: skip
def test_an_origin_is_where_pages_are(keys: Keys, origin: str) -> None:
    said = keys("add", "shop", "--origin", origin)
    assert said.code == 1
    assert "https://shop.example.com" in said.err
    assert keys("--json").json == []
