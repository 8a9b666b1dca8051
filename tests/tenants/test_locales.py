"""Every text that a reader meets has its French and German: pages, letters, reasons for a rank,
pieces of evidence, refusals.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
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

# From here everything can be reached that a page of the purchase refuses with.
PAGES = tuple(
    f"checkout.web.{each}" for each in ("basket", "checkout", "handoff", "orders", "payment")
)
# Read by operators, merchants' systems and payment providers.
READ_BY_OTHERS = (
    "checkout.accounting",
    "checkout.capture_moment",
    "checkout.merchant_connectors",
    "checkout.outcomes",
    "checkout.payment_providers",
    "checkout.purchase",
    "checkout.refunds",
    "checkout.webhooks",
)
CODES_NOT_SHOWN = {
    *("not_refundable", "payment_provider_unknown"),
    # `refusal.html` has words of its own for them.
    *("order_link_unknown", "order_unknown"),
}


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


def reached(*names: str) -> dict[str, ast.Module]:
    """These modules of the purchase, and all of it that they import."""
    found: dict[str, ast.Module] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        path = ROOT.joinpath(*name.split("."))
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if name in found or not name.startswith("checkout") or not file.is_file():
            continue
        found[name] = ast.parse(file.read_text("utf-8"))
        for node in ast.walk(found[name]):
            if isinstance(node, ast.ImportFrom) and node.module:
                waiting += [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
    return found


def refusals() -> Iterator[tuple[str]]:
    """Sentences and next steps of refusals, before names and numbers stand in them."""
    for name, tree in reached(*PAGES).items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or name.startswith(READ_BY_OTHERS):
                continue
            if ast.unparse(node.func) not in {"DomainError", "NotFound", "super().__init__"}:
                continue
            said = [*node.args[1:2], *(each.value for each in node.keywords if each.arg == "hint")]
            if node.args and ast.literal_eval(node.args[0]) not in CODES_NOT_SHOWN:
                # A text with its names already in it is no literal, and has no translation.
                yield from ((ast.literal_eval(text),) for text in said)


OTHERS = {(text,) for text in (*REASONS.values(), *WORDS.values())} | set(refusals())
MESSAGES = sorted(messages() | OTHERS)


def test_templates_and_refusals_have_texts() -> None:
    assert len(MESSAGES) > 200
    assert len(set(refusals())) > 25


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
