from __future__ import annotations

import pytest
from jinja2 import ChoiceLoader, DictLoader

from search_api.told_once import repeated, repeated_by_all
from tenants.pages.rendering import page_environment, render
from tests.browser.sample_brands import brand


@pytest.mark.parametrize(
    ("attributes", "again"),
    [
        ({"power": "20 W", "power_w": "20 W"}, {"power_w"}),
        ({"power": "1200 W", "power_w": "1,2 kW"}, {"power_w"}),
        ({"power": "20 W", "power_w": "24 W"}, set()),
        ({"size": "41", "size_eu": "41"}, {"size_eu"}),
        ({"pack_count": "24", "count": "24 Stück"}, {"count"}),
        # What the merchant calls it tells more than that something is in it.
        ({"content": "1700 ml", "volume_l": "1,7 L"}, {"content"}),
        ({"content": "1000 g", "weight_g": "1000 g"}, {"content"}),
        ({"content": "50 ml", "weight_g": "50 g"}, set()),
        # Other things with one value.
        ({"memory": "8 GB", "graphics": "8 GB"}, set()),
        ({"capacity": "8 GB", "capacity_kg": "8 kg"}, set()),
        ({"power": "strong", "power_w": "strong"}, set()),
        ({}, set()),
    ],
)
def test_what_is_said_twice(attributes: dict[str, str], again: set[str]) -> None:
    assert repeated(attributes) == again


def test_beside_each_other_only_what_all_say_twice_is_left_out() -> None:
    both, one = {"power": "20 W", "power_w": "20 W"}, {"power_w": "30 W"}
    assert repeated_by_all([both, both]) == {"power_w"}
    assert repeated_by_all([both, one]) == set()


@pytest.mark.parametrize(
    ("key", "value", "language", "said"),
    [
        ("cups", "12 Tassen", "fr", "12"),
        ("players", "3-6 joueurs", "de", "3-6"),
        ("ports", "viele", "fr", "viele"),
        ("runtime_h", "11.5 Std. Laufzeit", "fr", "11,5\u00a0h"),
        ("runtime_h", "15 h d'autonomie", "en", "15\u00a0h"),
        ("runtime_h", "15 jours", "en", "15 jours"),
        ("age_years", "12 ans", "de", "ab 12 Jahren"),
        ("weight_g", "540 g", "fr", "540 g"),
    ],
)
def test_counts_and_hours_are_said_in_the_readers_language(
    key: str, value: str, language: str, said: str
) -> None:
    environment = page_environment(["search_api.pages"])
    name = "told.html"
    source = "{% from 'facts.html' import fact_value %}{{ fact_value(key, value, true) }}"
    assert environment.loader is not None
    environment.loader = ChoiceLoader([DictLoader({name: source}), environment.loader])
    shown = render(
        environment, name, brand=brand("mirabelle"), language=language, key=key, value=value
    )
    assert shown.strip() == said
