"""Words that shops write in many ways are read as one; a kind of thing names no model."""

from __future__ import annotations

import pytest

from mdm.match.features import tokens
from mdm.match.one_form import in_one_form
from mdm.match.short_names import unlike_names
from tests.mdm.offers_at_hand import title_features


@pytest.mark.parametrize("title", ["Optaria 5D Mark IV", "optaria 5d mk4", "Optaria 5D mkIV"])
def test_a_generation_is_one_word_however_it_is_written(title: str) -> None:
    assert tokens(title) == ["optaria", "5d", "mk4"]


def test_a_numeral_behind_a_model_is_its_generation() -> None:
    assert tokens("Optaria A7 III body") == tokens("Optaria A7iii body")
    assert tokens("Optaria memory card UHS-II") == ["optaria", "memory", "card", "uhs", "ii"]
    assert tokens("Velora znane marki") == ["velora", "znane", "marki"]
    assert tokens("Orbo edition ii") == ["orbo", "edition", "ii"]


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("optaria 185 compact camera", "optaria 185 camera"),
        ("optaria 185 compact digital camera", "optaria 185 digital camera"),
        ("norvalis one compact 64gb", "norvalis one compact 64gb"),
        ("optaria b500 40x zoom", "optaria b500 40x "),
        ("optaria zoom 5", "optaria zoom 5"),
        ("torvald rzaav22k.1 freezer", "torvald rzaav22k freezer"),
        ("torvald 7.5 kg f2.8 v1.2", "torvald 7.5 kg f2.8 v1.2"),
        ("optaria d34 18-55 non vr", "optaria d34 18-55 nonvr"),
        ("voltina power 10,000 mah", "voltina power 10000 mah"),
        ("torvald 1.000 w, 2.5 l, 0.350 kg", "torvald 1000 w, 2.5 l, 0.350 kg"),
        # A part number.
        ("torvald wd 3 1.628-101.0", "torvald wd 3 1.628-101.0"),
        ("linnea 140 \u00d7 200, 70 x 90", "linnea 140x200, 70x90"),
        ("lumea nuit eau de toilette", "lumea nuit edt"),
        ("lumea nuit eau de parfum e.d.p.", "lumea nuit edp edp."),
        ("brunat mq 5235wh vario", "brunat mq5235wh vario"),
        ("hewlett packard laserjet", "hp laserjet"),
        ("western digital caviar", "wd caviar"),
        ("western digitally", "western digitally"),
        ("torvald delta max 2048wh", "torvald delta max 2048wh"),
    ],
)
def test_only_what_names_a_model_is_left(title: str, read: str) -> None:
    assert in_one_form(title) == read


def test_a_compact_camera_is_the_camera() -> None:
    one, two = (
        title_features("Optaria Ixo 185 black"),
        title_features("Optaria Ixo 185 compact camera black"),
    )
    assert not unlike_names(
        one.short_names, two.short_names, one.reading.tokens, two.reading.tokens
    )


@pytest.mark.parametrize("size", [10_000, 100_000])
def test_a_title_of_nothing_but_numerals_is_read_in_time_that_grows_with_it(size: int) -> None:
    text = "a7 iii mk4 compact zoom " * (size // 24)
    assert len(in_one_form(text)) <= len(text) + size
