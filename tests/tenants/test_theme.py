"""Tokens: bundled brands are readable, unreadable or malformed ones are refused by name."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import pytest

from kernel.errors import DomainError
from tenants.theme import Theme, check_contrast, contrast_ratio, require_contrast, theme_css

BUNDLED = {
    file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8"))["theme"]
    for file in files("tenants").joinpath("bundled").iterdir()
    if file.name.endswith(".toml")
}


def changed(brand: str, scheme: str, **colours: str) -> Mapping[str, Any]:
    table = BUNDLED[brand]
    return {**table, scheme: {**table[scheme], **colours}}


@pytest.mark.parametrize("brand", sorted(BUNDLED))
def test_every_bundled_brand_is_readable_in_both_schemes(brand: str) -> None:
    assert check_contrast(Theme.from_toml(BUNDLED[brand])) == []


def test_a_brand_that_cannot_be_read_is_refused_with_the_pair_named() -> None:
    theme = Theme.from_toml(changed("taktwerk", "dark", muted="#2a3540"))
    with pytest.raises(DomainError) as refusal:
        require_contrast("taktwerk", theme)
    assert refusal.value.code == "brand_unreadable"
    assert "taktwerk" in refusal.value.message
    assert "muted on sunken (dark)" in refusal.value.message
    assert "4.5:1" in refusal.value.message


def test_a_control_needs_three_to_one_only() -> None:
    theme = Theme.from_toml(changed("mirabelle", "light", control="#cccccc"))
    failures = check_contrast(theme)
    assert {(f.front, f.back, f.needed) for f in failures} == {
        ("control", "ground", 3.0),
        ("control", "surface", 3.0),
        ("control", "sunken", 3.0),
    }


def test_contrast_is_that_of_wcag() -> None:
    assert contrast_ratio("#000000", "#ffffff") == pytest.approx(21)
    assert contrast_ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast_ratio("#ffffff", "#777777") == contrast_ratio("#777777", "#ffffff")


def test_dark_is_there_for_the_system_and_for_the_choice() -> None:
    css = theme_css(Theme.from_toml(BUNDLED["taktwerk"]))
    ground = BUNDLED["taktwerk"]["dark"]["ground"]
    assert css.count(f"--ground:{ground};") == 2
    assert "@media screen and (prefers-color-scheme:dark){:root:not([data-scheme=light])" in css
    assert "@media screen{:root[data-scheme=dark]{color-scheme:dark;" in css
    assert css.count("{") == css.count("}")


def test_two_brands_share_the_names_of_their_tokens_and_not_the_values() -> None:
    sheets = [theme_css(Theme.from_toml(BUNDLED[b])) for b in ("mirabelle", "taktwerk")]
    names = [re.findall(r"--[a-z-]+(?=:)", css) for css in sheets]
    assert names[0] == names[1]
    assert sheets[0] != sheets[1]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("font_text", "x;}body{display:none"),
        ("font_display", 'unclosed "quote'),
        ("base_px", 200),
        ("base_px", True),
        ("density", "cramped"),
        ("light", {"ground": "#ffffff"}),
        ("dark", "black"),
        ("shadow", "none"),
    ],
)
def test_what_could_break_the_stylesheet_is_refused_by_key(key: str, value: object) -> None:
    with pytest.raises(DomainError, match=key) as refusal:
        Theme.from_toml({**BUNDLED["mirabelle"], key: value})
    assert refusal.value.code == "theme_invalid"


@pytest.mark.parametrize("colour", ["red", "#fff", "#ffffff;}", "#gggggg", "", 0])
def test_a_colour_is_six_hex_digits(colour: Any) -> None:
    with pytest.raises(DomainError, match=r"light\.ink"):
        Theme.from_toml(changed("mirabelle", "light", ink=colour))
