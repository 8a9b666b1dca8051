"""GTIN readings: usable numbers become fourteen digits, the others say why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.gtin import check_digit, is_restricted, read_gtin


@pytest.mark.parametrize(
    ("raw", "gtin"),
    [
        ("4006381333931", "04006381333931"),
        ("4006381333931.0", "04006381333931"),
        ("4006381 333931", "04006381333931"),
        ('="4006381333931"', "04006381333931"),
        ("0012345678905", "00012345678905"),
        ("012345678905", "00012345678905"),
        ("96385074", "00000096385074"),
        ("14006381333938", "14006381333938"),
        ("9521234567899", "09521234567899"),
    ],
)
def test_usual_spellings(raw: str, gtin: str) -> None:
    assert read_gtin(raw).gtin == gtin


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("7.8332E+11", "spreadsheet_damage"),
        ("7,83321E+11", "spreadsheet_damage"),
        ("n/a", "not_digits"),
        ("４００６３８１３３３９３１", "not_digits"),
        ("4006381333932", "check_digit"),
        ("123456789", "length"),
        ("0000000000000", "placeholder"),
        ("2000000010007", "restricted"),
        ("0200000000004", "restricted"),
        ("20000004", "restricted"),
    ],
)
def test_what_is_no_evidence_says_why(raw: str, problem: str) -> None:
    reading = read_gtin(raw)
    assert reading.gtin is None
    assert reading.problem == problem


@given(st.integers(0, 10**12 - 1))
def test_a_wrong_check_digit_is_never_accepted(body: int) -> None:
    digits = f"{body:012d}"
    right = check_digit(digits)
    for last in "0123456789":
        accepted = read_gtin(digits + last).gtin is not None
        assert not accepted or last == right


@given(st.text(max_size=40))
def test_any_text_has_a_reading(raw: str) -> None:
    reading = read_gtin(raw)
    assert (reading.gtin is None) == (reading.problem is not None)
    if reading.gtin:
        assert len(reading.gtin) == 14
        assert not is_restricted(reading.gtin)
