"""Titles whose last noun is the thing, and the words before it that other things go by."""

from __future__ import annotations

import numpy as np
import pytest

from indexer.accessories import of_title
from indexer.title_heads import asked, asked_kinds, before_head, is_for, of_titles


def _is_for(title: str, question: str, maker: str = "") -> bool:
    """Whether a product of that title is for what the question asks, rather than it."""
    numbers = np.array([of_titles({"en": title}, maker)], dtype=np.int64)
    return bool(is_for(numbers, asked(question, "en"))[0])


@pytest.mark.parametrize(
    ("title", "question"),
    [
        ("Ostrava projector lamp UHP", "projector"),
        ("Ostrava projector ceiling mount", "digital projectors"),
        ("Nordlys ALC1272G-51 network switch module", "network switch"),
        ("Nordlys Smart-UPS VT Baying Kit", "ups"),
        ("Nordlys UPS Network Management Card", "UPS"),
        ("HERMES 4914 printer label White Self-adhesive printer label", "label printer"),
        ("1U Processor heatsink", "processor for a server"),
        ("Case for 5 m Tablet keyboard cover", "tablet"),
        ("Nordlys keyboard/mouse support", "keyboard"),
        ("Nordlys Mouse Wrist Pillow", "mouse"),
        ("Nordlys 60in Mobile Projector Screen", "projector"),
    ],
)
def test_what_is_for_a_thing_is_not_the_thing(title: str, question: str) -> None:
    assert _is_for(title, question)


@pytest.mark.parametrize(
    ("title", "question"),
    [
        ("Ostrava mp2220 Digital Projector data projector", "projector"),
        ("Ostrava projector lamp UHP", "projector lamp"),
        ("Ostrava Lamp Module for vp6110 Projector", "lamp"),
        ("Nordlys 1540 embosser label printer", "label printer"),
        ("Nordlys Smart-UPS uninterruptible power supply (UPS) 480 W", "ups"),
        ("Canola EOS 1000D + EF-S 18-55mm SLR Camera Kit 10.1 MP", "camera"),
        ("OSTRAVA 42804505 toner cartridge Original", "toner"),
        ("Touchscreen Monitor touch screen with monitor cable", "monitor"),
        ("Laptop with lock and bag", "laptop"),
        ("Nordlys SHE2611/00 headphones/headset Black", "headphones"),
        ("Printer, drum included", "printer"),
        ("MiniVac handheld vacuum cleaner FC6144", "vacuum cleaner"),
    ],
)
def test_the_thing_itself_is(title: str, question: str) -> None:
    assert not _is_for(title, question)


def test_what_a_thing_takes_is_asked_for_by_the_last_word() -> None:
    paper, cable = of_title("paper", "en"), of_title("cable", "en")
    assert asked_kinds("printer paper", "en") == paper != 0
    assert asked_kinds("usb cable for a printer", "en") == cable
    assert asked_kinds("phone with a case", "en") == 0
    assert asked_kinds("paper", "en") == 0
    assert asked_kinds("label printer", "en") == 0
    assert asked_kinds("printer paper", "de") == 0


def test_a_maker_is_no_thing_that_something_is_for() -> None:
    assert before_head("Nordlys ceiling mount", "Nordlys") == ("ceiling",)
    assert _is_for("Nordlys ceiling mount", "nordlys")
    assert not _is_for("Nordlys ceiling mount", "nordlys", "Nordlys")


def test_the_four_words_next_to_the_thing_are_kept() -> None:
    title = "alpha beta gamma delta epsilon mount"
    assert [_is_for(title, word) for word in title.split()] == [False, *[True] * 4, False]
    assert 0 < of_titles({"en": title}, "") < 1 << 63


@pytest.mark.parametrize(
    ("titles", "text", "language"),
    [
        ({"de": "projector lamp"}, "projector", "en"),
        ({"en": "projector lamp"}, "projector", "de"),
        ({"en": "projector lamp"}, "1234 -", "en"),
        ({"en": "projector lamp"}, "", "en"),
        ({"en": ""}, "projector", "en"),
    ],
)
def test_nothing_is_read_from_other_languages_or_from_nothing(
    titles: dict[str, str], text: str, language: str
) -> None:
    numbers = np.array([of_titles(titles, "")], dtype=np.int64)
    assert not is_for(numbers, asked(text, language)).any()
    assert is_for(np.zeros(0, dtype=np.int64), asked("projector", "en")).shape == (0,)
