"""What a test needs installed beside Python: without it the test skips with its reason, or fails.

`@required("nginx")` stands on a test, or `pytestmark = required(...)` in its module; a fixture
that needs a tool for only some of its tests calls `demand`. FLOWSCORE_TESTS_REQUIRE names the
tools (`postfix,nginx`, or `all`) whose absence is a failure: `.ci/run` installs them and sets it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

REQUIRE = "FLOWSCORE_TESTS_REQUIRE"
DEMANDED = frozenset(os.environ.get(REQUIRE, "").replace(",", " ").split())
CLIENTS = Path(__file__).parent / "clients"
SYSTEM = os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))  # seldom on a person's PATH
OTHER_NAMES = {"chromium": ("chromium", "chromium-browser", "google-chrome", "chrome")}
HOW = {
    "node": "install Node.js 18 or newer",
    "chromium": "install Chromium",
    "clients": "run: npm install --prefix tests/clients --no-package-lock",
}


def required(*tools: str) -> pytest.MarkDecorator:
    """A mark for tests that need these programs; `clients` are the packages of tests/clients."""
    return pytest.mark.required(*tools)


def demand(*tools: str) -> None:
    """Skip the running test when a tool is not here; fail it when the tool is demanded."""
    for tool in tools:
        if find_tool(tool) is None:
            reason = f"{tool} is not installed; {HOW.get(tool, f'install {tool}')}"
            if DEMANDED & {tool, "all"}:
                pytest.fail(f"{reason} ({REQUIRE} demands it)", pytrace=False)
            pytest.skip(reason)


def find_tool(tool: str) -> Path | None:
    """Where the program lies, on the PATH or among the programs of the system."""
    if tool == "clients":
        modules = CLIENTS / "node_modules"
        return modules if (modules / ".package-lock.json").is_file() else None
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), SYSTEM))
    found = (shutil.which(name, path=places) for name in OTHER_NAMES.get(tool, (tool,)))
    return next((Path(path) for path in found if path), None)
