"""Every text of every page, reason for a rank and piece of evidence has its French and German."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from comptoir.stewardship.wording import WORDS
from kernel.i18n import translator
from search_api.cards import REASONS

ROOT = Path(__file__).parents[2]
PACKAGES = ("tenants", "search_api", "checkout", "comptoir")
VALUES = re.compile(r"%\(\w+\)s")


def messages() -> set[tuple[str, ...]]:
    """Texts of all templates, pages and letters: a pair where there is a plural."""
    environment = Environment(autoescape=True)
    found: set[tuple[str, ...]] = set()
    for package in PACKAGES:
        for template in (ROOT / package / "pages" / "templates").rglob("*.*"):
            tree = environment.parse(template.read_text("utf-8"))
            for _, function, said in extract_from_ast(tree, ("_", "ngettext")):
                texts = said if isinstance(said, tuple) else (said,)
                count = 2 if function == "ngettext" else 1
                if isinstance(texts[0], str):
                    found.add(tuple(str(text) for text in texts[:count]))
    return found


OTHERS = {(text,) for text in (*REASONS.values(), *WORDS.values())}
MESSAGES = sorted(messages() | OTHERS)


def test_templates_have_texts() -> None:
    assert len(MESSAGES) > 200


@pytest.mark.parametrize("language", ["fr", "de"])
def test_no_text_is_left_in_english(language: str) -> None:
    texts = translator(language)
    known = texts.singular.keys() | texts.plural.keys()
    assert [message for message in MESSAGES if message[0] not in known] == []


@pytest.mark.parametrize("language", ["fr", "de"])
def test_a_translation_carries_the_values_of_its_message(language: str) -> None:
    texts = translator(language)
    for message in MESSAGES:
        one = message[0]
        said = texts.plural[one] if len(message) == 2 else (texts.singular[one],)
        for form in said:
            assert set(VALUES.findall(form)) == set(VALUES.findall(one)), (one, form)


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("language", ["fr", "de"])
def test_catalogues_have_nothing_empty_or_doubtful(package: str, language: str) -> None:
    with (ROOT / package / "locales" / f"{language}.po").open("rb") as stream:
        catalogue = read_po(stream, locale=language)
    assert len(catalogue) > 20
    for message in catalogue:
        if message.id:
            assert message.string, message.id
            assert not message.fuzzy, message.id


def test_french_marks_have_their_thin_spaces() -> None:
    texts = translator("fr")
    said = [*texts.singular.values(), *(form for pair in texts.plural.values() for form in pair)]
    for text in said:
        assert not re.search(r" [;:!?»]|« ", text), text
        assert not re.search(r"\w[;!?]", text), text
        assert "'" not in text, text
