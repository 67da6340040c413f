"""The lock of `flowscore run`: one service a store, and ticks by hand beside it."""

from __future__ import annotations

import os

import pytest

from flowscore.errors import FlowscoreError
from flowscore.store.database import Store, open_store


def test_lock_run_names_its_holder_and_since_when(store: Store, store_url: str) -> None:
    second = open_store(store_url)
    told = rf"`flowscore run` is at work.*process {os.getpid()} on .*, since 20\d\d-.*Z; stop"
    with store.lock_run(), pytest.raises(FlowscoreError, match=told), second.lock_run():
        pytest.fail("two services hold one store")
    with second.lock_run():
        second.close()


def test_lock_run_leaves_ticks_by_hand_alone(store: Store, store_url: str) -> None:
    second = open_store(store_url)
    with store.lock_run(), second.lock_tick():
        pass
    second.close()
