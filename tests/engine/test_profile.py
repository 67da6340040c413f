"""`set_attribute`: values, expressions, and what is left as it was."""

from __future__ import annotations

from engine.world import START, World

ANA = "ana@example.com"
SETTING = """
list: here
---
scenario: setting
trigger: {event: asked}
actions:
  - set_attribute:
      plan: trial
      seats: "{{ event.seats }}"
      greeting: "Dear {{ contact.first_name }}"
      phone: ""
  - add_to_list: here
"""


def test_an_unknown_value_leaves_the_attribute_and_is_noted(world: World) -> None:
    """Ruling 95: the attribute stays, it is recorded, and the walk goes on."""
    world.apply(SETTING)
    world.identify(ANA, START, greeting="Hello", phone="123")
    world.track(ANA, "asked", START, seats=3)
    world.tick(START)
    found = dict(world.rows("SELECT name, text FROM attributes WHERE element >= 0"))
    assert found == {"greeting": "hello", "plan": "trial", "seats": "3"}
    assert world.rows("SELECT step, outcome FROM steps ORDER BY step") == [
        ("actions/0", "left as it was: greeting"),
        ("actions/1", ""),
    ]
    assert world.members("here") == [ANA]
