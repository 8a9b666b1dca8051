"""Limits of price as people write them, in three languages, and what only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_api.query import minor_amount
from search_api.understanding.price_limits import price_limits


@pytest.mark.parametrize(
    ("text", "limits", "said"),
    [
        ("lave-linge moins de 400 €", (None, 40_000), "moins de 400 €"),
        ("casque jusqu’à 1 299,50 euros noir", (None, 129_950), "jusqu’à 1 299,50 euros"),
        ("Fernseher unter 500", (None, 50_000), "unter 500"),
        ("Monitor bis 1.299,00 Euro", (None, 129_900), "bis 1.299,00 Euro"),
        ("zwischen 100 und 200 euro Lampe", (10_000, 20_000), "zwischen 100 und 200 euro"),
        ("laptop under 700 eur", (None, 70_000), "under 700 eur"),
        ("lamp between 20 and 40€", (2_000, 4_000), "between 20 and 40€"),
        ("vélo à partir de 300 €", (30_000, None), "à partir de 300 €"),
        ("lampe 20-50 €", (2_000, 5_000), "20-50 €"),
        ("lampe pas plus de 50 €", (None, 5_000), "pas plus de 50 €"),
        ("Lampe nicht mehr als 50 Euro", (None, 5_000), "nicht mehr als 50 Euro"),
        ("lamp no more than 50 euros", (None, 5_000), "no more than 50 euros"),
        ("lampe pas moins de 50 €", (5_000, None), "pas moins de 50 €"),
        ("Lampe nicht unter 50 €", (5_000, None), "nicht unter 50 €"),
        ("lampe 50 € max", (None, 5_000), "50 € max"),
        ("Lampe 50 Euro oder weniger", (None, 5_000), "50 Euro oder weniger"),
        ("lamp 50 euros or more", (5_000, None), "50 euros or more"),
        ("lampe <50€", (None, 5_000), "<50€"),
        ("Lampe ≥ 50 €", (5_000, None), "≥ 50 €"),
        ("lampe de 20 à 50 €", (2_000, 5_000), "de 20 à 50 €"),
        ("Lampe von 20 bis 50 Euro", (2_000, 5_000), "von 20 bis 50 Euro"),
        ("Lampe 20 bis 50 Euro", (2_000, 5_000), "20 bis 50 Euro"),
        ("iphone 15 bis 400 Euro", (None, 40_000), "bis 400 Euro"),
        ("entre 0 et 50 € lampe", (0, 5_000), "entre 0 et 50 €"),
        ("Lampe unter 50,-", (None, 5_000), "unter 50,-"),
        ("lampe autour de 50 €", (4_000, 6_000), "autour de 50 €"),
        ("smartphone pas plus cher que 300 euros", (None, 30_000), "pas plus cher que 300 euros"),
        ("nicht teurer als 300 Euro Handy", (None, 30_000), "nicht teurer als 300 Euro"),
        ("Handy 300€", (24_000, 36_000), "300€"),
        ("cadeau à 20 €", (1_600, 2_400), "à 20 €"),
        ("300 euro laptop", (24_000, 36_000), "300 euro"),
        ("iphone 15 à 400 €", (32_000, 48_000), "à 400 €"),
    ],
)
def test_price_limits_in_three_languages(
    text: str, limits: tuple[int | None, int | None], said: str
) -> None:
    found = price_limits(text, "EUR", lambda amount: minor_amount(amount, "EUR"))
    assert found is not None
    assert (found.low, found.high) == limits
    assert text[found.start : found.end] == said


@pytest.mark.parametrize(
    "text",
    [
        "Monitor bis 27 Zoll", "fan under 40 db", "tente jusqu'à 4 personnes", "laptop under $500",
        "unter uns", "between us", "500 €", "entre 300 et 100 €",
        "lamp < 40 db", "écran de 24 à 27 pouces", "laptop 500 $ max",
    ],
)  # fmt: skip
def test_what_limits_something_else_is_no_price(text: str) -> None:
    assert price_limits(text, "EUR", lambda amount: minor_amount(amount, "EUR")) is None


@given(st.text(max_size=80))
def test_any_text_is_read(text: str) -> None:
    """No text breaks the reading, and what is found lies within it."""
    found = price_limits(text, "EUR", lambda amount: minor_amount(amount, "EUR"))
    assert found is None or 0 <= found.start < found.end <= len(text)
