"""The pages in a real browser, without scripts: they work, are readable, and fit a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flowscore.clock import clock_now
from flowscore.store.write_keys import WriteKeys
from required import required
from web.conftest import House, Serve
from web.consent_house import ANA, Letter, holds, mailed, school, take
from web.driving import Page, driving
from web.test_signup import asked

pytestmark = required("chromium")

# Of every text that is seen: its ratio to what is behind it (WCAG 2.2, 1.4.3).
CONTRASTS = """(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((one) => one / 255)
    .map((one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, i) => sum + one * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const paint = parse(getComputedStyle(node).backgroundColor);
      if (paint.length === 3 || paint[3] > 0) return paint;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || node.closest('.trap')) continue;
    const pair = [light(parse(getComputedStyle(node).color)), light(behind(node))].sort();
    found.push((Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05));
  }
  return Math.min(...found);
})()"""
WIDTH = "document.documentElement.scrollWidth"
UNLABELLED = """[...document.querySelectorAll('input:not([type=hidden])')]
  .filter((one) => !one.labels.length || !one.labels[0].textContent.trim()).length"""
SMALL = """[...document.querySelectorAll('button, label.choice, input[type=email]')]
  .filter((one) => one.getBoundingClientRect().height < 24).length"""
FOCUS = """(() => { const one = document.querySelector('button'); one.focus({focusVisible: true});
  return getComputedStyle(one).outlineStyle; })()"""


@pytest.fixture
def house(serve: Serve) -> House:
    return school(serve)


@pytest.fixture
def page() -> Iterator[Page]:
    with driving() as page:
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        yield page


def paths(house: House) -> tuple[Letter, list[str]]:
    """A mail, and every page there is."""
    letter = mailed(house)
    key = WriteKeys(house.workspace.store, clock_now).add("shop-web")
    return letter, [letter.link("u"), letter.link("p"), f"/signup?key={key}", "/u/nothing"]


def test_pages_are_readable_labelled_and_fit_a_phone(house: House, page: Page) -> None:
    _, every = paths(house)
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        page.call("Emulation.setEmulatedMedia", features=[feature])
        size = {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": True}
        page.call("Emulation.setDeviceMetricsOverride", **size)
        for path in every:
            page.open(house.server.address + path)
            assert page.look(CONTRASTS) >= 4.5, (scheme, path)
            assert page.look(WIDTH) <= 320, path
            assert page.look(UNLABELLED) == 0, path
            assert page.look(SMALL) == 0, path
            assert page.look("document.querySelectorAll('h1').length") == 1
            assert page.look("document.documentElement.lang") == "en"
            if path != "/u/nothing":
                assert page.look(FOCUS) == "solid", path
    assert [one for one in page.complaints if "404" not in one] == []


def test_t19_opening_does_nothing_and_the_button_does(house: House, page: Page) -> None:
    letter, _ = paths(house)
    page.open(house.server.address + letter.link("u"))
    take(house)
    assert holds(house)["news"] is True
    page.press("button")
    assert page.look("document.title") == "You are unsubscribed"
    page.press("button")  # the way back
    assert page.look("document.title") == "Nothing has changed for you"
    take(house)
    assert holds(house)["news"] is True
    assert page.complaints == []


def test_preferences_are_saved(house: House, page: Page) -> None:
    letter, _ = paths(house)
    page.open(house.server.address + letter.link("p"))
    page.look("document.querySelectorAll('[name=topic]')[1].click()")
    page.press("button")
    assert page.look("document.querySelectorAll('[name=topic]:checked').length") == 2
    take(house)
    assert holds(house) == {"news": True, "offers": True}


def test_f01_a_visitor_signs_up_and_confirms(house: House, page: Page) -> None:
    """The key allows one site only; the form is ours, and says so by its Origin."""
    key = WriteKeys(house.workspace.store, clock_now).add("shop", ["https://shop.example"])
    page.open(f"{house.server.address}/signup?key={key}&topic=news")
    page.look(f"document.querySelector('[name=email]').value = '{ANA}'")
    page.press("button")
    assert page.look("document.title") == "Look into your inbox"
    page.open(house.server.address + asked(house)[0].link("y"))
    page.press("button")
    assert page.look("document.title") == "Thank you"
    take(house)
    assert holds(house) == {"news": True}
    assert page.complaints == []


def test_the_form_leads_back_to_the_site(house: House, page: Page) -> None:
    """Browsers ask the page's policy (form-action) about the redirect, too."""
    elsewhere = house.server.address.replace("127.0.0.1", "localhost")
    key = WriteKeys(house.workspace.store, clock_now).add("shop", [elsewhere])
    back = f"{elsewhere}/healthz"
    page.open(f"{house.server.address}/signup?key={key}&topic=news&redirect={back}")
    page.look(f"document.querySelector('[name=email]').value = '{ANA}'")
    page.press("button")
    assert page.look("location.href") == back
    assert [row["email"] for row in house.inbox()] == [ANA]
