"""Every command, option and setting is documented, as it stands in the program."""

from __future__ import annotations

import inspect

import pytest

from flowscore.settings import PREFIX, Settings

from .reference import PAGES, PRINTED, every_command, renewed


@pytest.mark.parametrize("page", PRINTED)
def test_page_says_what_the_program_says(page: str) -> None:
    assert (PAGES / page).read_text(encoding="utf-8") == renewed(page), (
        f"docs/reference/{page} is out of date: run `python tests/cli/reference.py`"
    )


def test_every_command_and_option_is_documented() -> None:
    text = (PAGES / "commands.md").read_text(encoding="utf-8")
    for name, command in every_command():
        section = text.partition(f"## flowscore {name}\n")[2].partition("\n## ")[0]
        assert section, f"no section for {name}"
        for one in (one for one in command.params if one.param_type_name == "option"):
            assert one.name == "help" or f"`{', '.join(one.opts)}" in section, (name, one.opts)


def test_every_setting_is_documented() -> None:
    text = (PAGES / "settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert f"`{PREFIX}{name.upper()}`" in text
        assert field.description, f"{name} has no sentence"
        assert field.description in text


@pytest.mark.parametrize(("name", "command"), [*every_command()], ids=lambda one: str(one)[:20])
def test_help_teaches_with_an_example(name: str, command: object) -> None:
    if getattr(command, "commands", None) and not getattr(command, "params", None):
        return
    help_ = inspect.cleandoc(getattr(command, "help", "") or "")
    if name == "import":
        return
    assert f"flowscore {name}" in help_, f"`flowscore {name} --help` shows no example"
    assert len(help_.splitlines()[0]) <= 65, "its first line is cut in the list of commands"
