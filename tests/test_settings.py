"""Settings come from the environment and `.env`; a bad value is told by its name."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from flowscore.clock import DAY, HOUR, MINUTE
from flowscore.errors import FlowscoreError
from flowscore.settings import (
    environment_of,
    read_settings,
    refuse_unstoppable_mail,
    secret_of,
    webhook_secrets_of,
)
from flowscore.surroundings import HOW_TO_SIGN
from mail.receivers import SECRET

OTHER = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldY"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a test sets is set."""
    for name in [name for name in os.environ if name.startswith("FLOWSCORE_")]:
        monkeypatch.delenv(name)


def test_defaults_keep_everything_in_the_project_folder(tmp_path: Path) -> None:
    settings = read_settings(tmp_path)
    assert settings.database_url is None
    assert settings.outbox == tmp_path / "outbox"
    assert settings.tick_every == MINUTE
    assert settings.uncertain == "hold"


def test_environment_wins_over_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("FLOWSCORE_TICK_EVERY=1 hour\nFLOWSCORE_OUTBOX=mails\n")
    assert read_settings(tmp_path).tick_every == HOUR
    monkeypatch.setenv("FLOWSCORE_TICK_EVERY", "1 day")
    settings = read_settings(tmp_path)
    assert settings.tick_every == DAY
    assert settings.outbox == tmp_path / "mails"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("TICK_EVERY", "4 hrs", "expected a duration such as"),
        ("TICK_EVERY", "7 minutes", "expected a step that divides a day"),
        ("SMTP_URL", "mail.example.com", "expected smtp://"),
        ("PUBLIC_URL", "example.com", "expected an address such as https://"),
        ("UNSUBSCRIBE_MAILTO", "nobody", "expected a mail address"),
        ("BOUNCE_ADDRESS", "nobody", "expected an address of plain letters"),
        ("BOUNCE_ADDRESS", "a+b@example.com", "expected an address of plain letters"),
        ("BOUNCE_ADDRESS", f"{'b' * 25}@example.com", "at most 24 letters before the @"),
        ("BOUNCE_MAILBOX", "/var/mail/x", "expected maildir:/var/mail/bounces or imaps://"),
        ("UNCERTAIN", "guess", "'hold' or 'resend'"),
        ("DATABASE_URL", "mysql://x/y", "expected sqlite:///"),
        ("WEBHOOK_SECRET", "hunter2", "expected whsec_"),
        ("WEBHOOK_SECRET", "whsec_QUJD", "expected whsec_"),
        ("WEBHOOK_SECRET", "whsec_not base64!", "expected whsec_"),
        ("WEBHOOK_ALLOW_PRIVATE", "10.0.0.0/33", "expected host names and networks"),
    ],
)
def test_bad_value_is_told_with_name_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(f"FLOWSCORE_{name}", value)
    with pytest.raises(FlowscoreError) as caught:
        read_settings(tmp_path)
    assert str(caught.value).startswith(f"FLOWSCORE_{name} (from the environment)")
    assert expected in str(caught.value)


def test_secret_values_are_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWSCORE_SMTP_URL", "ftp://ana:hunter2@host")
    with pytest.raises(FlowscoreError) as caught:
        read_settings(tmp_path)
    assert "hunter2" not in str(caught.value)
    monkeypatch.setenv("FLOWSCORE_SMTP_URL", "smtp://ana:hunter2@host")
    assert "hunter2" not in repr(read_settings(tmp_path))


def test_every_bad_value_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FLOWSCORE_UNCERTAIN=x\nFLOWSCORE_TICK_EVERY=y\n")
    with pytest.raises(FlowscoreError) as caught:
        read_settings(tmp_path)
    assert str(tmp_path / ".env") in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


def test_secret_is_made_once_and_private(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("FLOWSCORE_TICK_EVERY=1 hour")  # no newline at the end
    made = secret_of(tmp_path, read_settings(tmp_path))
    assert secret_of(tmp_path, read_settings(tmp_path)) == made
    assert len(made) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_settings(tmp_path).tick_every == HOUR


def test_settings_read_before_another_process_made_the_secret_find_that_one(
    tmp_path: Path,
) -> None:
    """A service that started first must open the links that a delivery signed meanwhile."""
    early = read_settings(tmp_path)
    made = secret_of(tmp_path, read_settings(tmp_path))
    assert secret_of(tmp_path, early) == made
    assert (tmp_path / ".env").read_text().count("FLOWSCORE_SECRET=") == 1


def test_of_many_that_want_a_secret_at_once_one_makes_it(tmp_path: Path) -> None:
    early = read_settings(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda _: secret_of(tmp_path, early), range(64)))
    assert len(made) == 1


def test_a_webhook_secret_is_never_made_and_may_be_two_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert webhook_secrets_of(read_settings(tmp_path)) == ()
    monkeypatch.setenv("FLOWSCORE_WEBHOOK_SECRET", "")
    assert webhook_secrets_of(read_settings(tmp_path)) == ()
    assert not (tmp_path / ".env").exists()
    monkeypatch.setenv("FLOWSCORE_WEBHOOK_SECRET", f" {OTHER}  {SECRET} ")
    settings = read_settings(tmp_path)
    assert webhook_secrets_of(settings) == (OTHER, SECRET)
    assert SECRET not in repr(settings)


@pytest.mark.parametrize("before", [None, "FLOWSCORE_TICK_EVERY=1 hour"])
def test_the_line_that_makes_a_webhook_secret_makes_one(tmp_path: Path, before: str | None) -> None:
    """As a shell runs it; the last line of `.env` may have been left open."""
    if before:
        (tmp_path / ".env").write_text(before)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        HOW_TO_SIGN, shell=True, cwd=tmp_path, check=True, env=os.environ | {"PATH": path}
    )
    settings = read_settings(tmp_path)
    (made,) = webhook_secrets_of(settings)
    assert Webhook(made).sign("id", datetime(2026, 1, 1, tzinfo=UTC), "{}")
    assert settings.tick_every == (HOUR if before else MINUTE)


def test_a_bad_webhook_secret_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWSCORE_WEBHOOK_SECRET", "hunter2")
    with pytest.raises(FlowscoreError) as caught:
        read_settings(tmp_path)
    assert "hunter2" not in str(caught.value)


def test_variables_come_from_the_environment_else_from_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "CRM_URL" not in environment_of(tmp_path)
    (tmp_path / ".env").write_text("CRM_URL=http://file\nTOKEN='a b # c'\nEMPTY=\nBARE\n")
    monkeypatch.setenv("EMPTY_TOO", "")
    found = environment_of(tmp_path)
    assert (found["CRM_URL"], found["TOKEN"]) == ("http://file", "a b # c")
    assert not {"EMPTY", "EMPTY_TOO", "BARE"} & set(found)
    monkeypatch.setenv("CRM_URL", "http://environment")
    monkeypatch.setenv("TOKEN", "")
    found = environment_of(tmp_path)
    assert (found["CRM_URL"], found["TOKEN"]) == ("http://environment", "a b # c")


def test_marketing_over_smtp_needs_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_unstoppable_mail(read_settings(tmp_path), ["offer"])
    monkeypatch.setenv("FLOWSCORE_SMTP_URL", "smtp://localhost")
    with pytest.raises(FlowscoreError, match="FLOWSCORE_UNSUBSCRIBE_MAILTO"):
        refuse_unstoppable_mail(read_settings(tmp_path), ["offer"])
    refuse_unstoppable_mail(read_settings(tmp_path), [])
    monkeypatch.setenv("FLOWSCORE_UNSUBSCRIBE_MAILTO", "mailto:out@example.com")
    assert read_settings(tmp_path).unsubscribe_mailto == "out@example.com"
    refuse_unstoppable_mail(read_settings(tmp_path), ["offer"])
