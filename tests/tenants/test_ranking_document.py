"""The document that the guide shows can be read, and comes back as it was."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from indexer.folding import key
from kernel.errors import DomainError
from tenants.ranking.document import (
    MOST_BYTES,
    brand_starting_document,
    ranking_document,
    ranking_hash,
    read_ranking_file,
)
from tenants.ranking.inheritance import Stated, resolve

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "ranking.md"


def test_the_guides_document_is_read_and_reads_back() -> None:
    shown = GUIDE.read_text("utf-8").partition("```toml\n")[2].partition("```")[0]
    document = ranking_document(tomllib.loads(shown))
    again = ranking_document(document.as_json())
    assert again == document
    assert ranking_hash(again) == ranking_hash(document)
    profile = resolve([Stated("brand", None, document)], "fr")
    assert [rule.id for rule in profile.rules] == ["christmas-lights"]
    assert profile.synonyms[0].two_way
    assert profile.paid.placements[0].paid_by == "Acme SA"


def test_whole_numbers_are_weights_too() -> None:
    document = ranking_document({"product_weights": {"vector": 1}, "ladder": {"few": 3}})
    assert document.product_weights.vector == 1.0


def test_the_keys_of_earlier_brand_files_are_read() -> None:
    table = {"results": "relevance", "offers": "total_price", "vector_weight": 0.4}
    assert brand_starting_document(table).as_json() == {"product_weights": {"vector": 0.4}}
    for wrong in ({"results": "commission"}, {"offers": "highest_commission"}):
        with pytest.raises(DomainError, match="only"):
            brand_starting_document(wrong)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.toml", "rules = ["), ("a.json", "[1]"), ("a.json", "{"), ("a.toml", "\udcff")],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(
    tmp_path: Path, name: str, text: str
) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DomainError) as refused:
        read_ranking_file(file)
    assert refused.value.code == "ranking_file"


def test_hostile_documents_are_bounded() -> None:
    many = [{"words": ["a"] * 30, "replacements": ["b" * 80] * 30} for _ in range(2_000)]
    with pytest.raises(DomainError, match=f"{MOST_BYTES:,}"):
        ranking_document({"synonyms": many})
    with pytest.raises(DomainError, match=r"rules\.0\.target"):
        ranking_document(
            {"rules": [{"id": "a", "kind": "hide", "target": {"products": ["x"] * 201}}]}
        )
    deep: dict[str, object] = {}
    for _ in range(200):
        deep = {"ladder": deep}
    with pytest.raises(DomainError, match="ladder"):
        ranking_document(deep)


@pytest.mark.parametrize(
    "name",
    [
        *("Norvalis", "NORVALIS", "norvalis", "De'Longhi", "D’Addario", "Kärcher", "Ampère"),
        *("B&O", "Müller & Söhne", "Ørsted", "Łódź", "Bœuf", "a_b", "3M", "Groß", "Мир"),
    ],
)
def test_a_maker_is_named_in_a_rule_as_it_is_written_on_the_box(name: str) -> None:
    document = ranking_document(
        {
            "rules": [
                {"id": "down", "kind": "bury", "target": {"manufacturers": [name]}},
                {
                    "id": "only",
                    "kind": "filter",
                    "when": {"query": "tv"},
                    "narrow": {"manufacturers": [name]},
                },
            ]
        }
    )
    rules = resolve([Stated("brand", None, document)], "fr").rules
    assert {
        rule.id: (*rule.target.manufacturers, *rule.narrow.manufacturers) for rule in rules
    } == {
        "down": (key(name),),
        "only": (key(name),),
    }
