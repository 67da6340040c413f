"""The pages of consent on PostgreSQL: what is said shows at once, and holds mail back."""

from __future__ import annotations

from conftest import Postgres
from flowscore.mail.links import sign
from web.conftest import Serve
from web.consent_house import holds, later, mailed, say, school, take, ticked
from web.test_signup import asked, sign_up


def test_t18_the_pages_work_on_postgresql(serve: Serve, postgres_url: str) -> None:
    house = school(serve, url=postgres_url)
    letter = mailed(house)
    path = letter.link("p")
    assert ticked(house.client.post(path, data={"topic": ["news", "offers"]})) == {"news", "offers"}
    say(house, "Asked")
    house.client.post(letter.one_click, data={"List-Unsubscribe": "One-Click"})
    assert ticked(house.client.get(path)) == {"offers"}
    assert later(house).withheld == {"no_consent": 1}
    take(house)
    assert holds(house) == {"news": False, "offers": True}


def test_f01_a_sign_up_is_confirmed_on_postgresql(serve: Serve, postgres_url: str) -> None:
    house = school(serve, url=postgres_url)
    sign_up(house)
    path = asked(house)[0].link("y")
    house.client.post(path)
    take(house)
    assert holds(house) == {"news": True}
    assert len(house.rows("SELECT * FROM consent_records WHERE proof IS NOT NULL")) == 1


def test_pages_of_a_store_that_is_away_are_to_be_asked_again(
    serve: Serve, postgres: Postgres, postgres_url: str
) -> None:
    house = school(serve, url=postgres_url)
    letter = mailed(house)
    viewed = "/v/" + sign(house.workspace.mail_settings.secret, "view", 1, "key")
    with postgres.unreachable(postgres_url):
        for path in (letter.link("u"), letter.link("p"), viewed, "/y/" + "A" * 24):
            answer = house.client.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2"), path
        assert (
            house.client.post(letter.one_click, data={"List-Unsubscribe": "One-Click"}).status_code
            == 503
        )
    assert (
        house.client.post(letter.one_click, data={"List-Unsubscribe": "One-Click"}).status_code
        == 200
    )
