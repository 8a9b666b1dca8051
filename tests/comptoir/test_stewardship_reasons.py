"""Reasons of the matcher in words: none is left in its stored English, in no language."""

from __future__ import annotations

import ast
import inspect
from types import ModuleType

import pytest

from comptoir.stewardship.reasons import Reason, reason
from kernel.i18n import translator
from mdm.match import decide, little_known, lone_marks, newcomers, rivals, vetoes
from mdm.match.vetoes import EXACT, ROUNDED

# Functions whose texts are told as reasons; of the others' texts only some are.
_TELLING = {
    vetoes: ("veto", "doubt", "_unlike", "_contradicted", "_of_unlike_kinds"),
    decide: ("merge", "obey", "_obstacle"),
    rivals: ("doubt", "_find_torn"),
    little_known: ("little_known",),
    newcomers: ("_tell_of_namesakes",),
}
_OTHER_TEXTS = {"pack_count", "1", "colour", "joined", "ruled", "kept_apart"}


def _told(module: ModuleType, names: tuple[str, ...]) -> set[str]:
    """String literals of these functions; what is filled in stands as 1."""
    found = set()
    for each in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(each, ast.FunctionDef) and each.name in names:
            statements = each.body[1:] if ast.get_docstring(each) else each.body
            for node in (part for statement in statements for part in ast.walk(statement)):
                if isinstance(node, ast.JoinedStr):
                    found.add("".join(_piece(value) for value in node.values))
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return found


def _piece(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else "1"


def _reasons() -> list[str]:
    found = set().union(*(_told(module, names) for module, names in _TELLING.items()))
    found |= {mark.told.format(1) for mark in lone_marks.TABLE}
    # Pieces of longer texts are told as a whole.
    whole = {each for each in found if " " in each and each == each.strip()}
    parts = {each for each in whole if any(each != other and each in other for other in whole)}
    facts = {f"{name.replace('_', ' ')} 1 TB and 2 TB" for name in ("colour", *EXACT, *ROUNDED)}
    return sorted(
        {each.replace("by 1 on", "by 0.61 on") for each in whole - parts - _OTHER_TEXTS} | facts
    )


def test_the_matcher_s_reasons_are_found() -> None:
    found = _reasons()
    assert "one of them is a bundle" in found
    assert "it fits 1 as well (1)" in found
    assert "GTIN 1 is on several things" in found
    assert len(found) > 20


@pytest.mark.parametrize("why", _reasons())
def test_every_reason_of_the_matcher_has_words_in_every_language(why: str) -> None:
    said = reason(why.replace("fits 1 ", "fits off_1 ").replace("(1)", "(packs of 1 and of 2)"))
    assert said.fact or said.text != why, "comptoir/stewardship/reasons.py has no words for it"
    if said.text:
        for language in ("fr", "de"):
            assert translator(language).gettext(said.text) != said.text, language


def test_values_are_read_out_of_a_reason() -> None:
    assert reason("lens range body only and 16-50 mm") == Reason(
        "", fact="lens_range", left="body only", right="16-50 mm"
    )
    assert reason("packs of 1 and of 6").english == "Packs of 1 and of 6"
    fits = reason("it fits off_abc as well (capacity 64 GB and 128 GB)")
    assert fits.english == "It fits another offer as well (Capacity: 64 GB and 128 GB)"
    torn = reason("off_abc fits two that are not one (sim cards 1 and 2)")
    assert torn.english == "One of them fits two that are not one (Sim cards: 1 and 2)"
    assert reason("alike by 0.62 on the whole").english.endswith("62% alike")
    assert reason("a 100% new kind").english == "a 100% new kind"
