"""`comptoir match`: explanations from a file, what the options refuse, sets for training."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from comptoir.cli import cli
from comptoir.match_explanation import in_words
from comptoir.matching_training.examples import examples, truth_files
from comptoir.stewardship.wording import WORDS
from kernel.errors import DomainError, NotFound
from mdm.match.evidence import Evidence
from tests.mdm.offers_at_hand import WordEncoder

OFFERS = (
    "id,title,brand,gtin,mpn\n"
    "1,Kettle Vapora VK-2200 1.7 l,Vapora,4006381333931,VK2200\n"
    "2,Vapora VK2200 Wasserkocher schwarz,Vapora,4006381333931,VK-2200\n"
    "3,Vapora VK2500 Wasserkocher schwarz,Vapora,,\n"
    "4,Phone Norvalis Lumen 6 64 GB,Norvalis,,\n"
    "5,Phone Norvalis Lumen 6 128 GB,Norvalis,,\n"
    "6,!!!,,,\n"
)


def _set(folder: Path, **truths: str) -> Path:
    (folder / "kettles-offers.csv").write_text(OFFERS, encoding="utf-8")
    for name, text in truths.items():
        (folder / f"kettles-{name.replace('_', '-')}.csv").write_text(text, encoding="utf-8")
    return folder / "kettles-offers.csv"


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["match", *map(str, arguments)])


def _explained(offers: Path, one: str, other: str) -> dict[str, Any]:
    ran = _run("explain", one, other, "--offers", offers, "--json")
    assert ran.exit_code == 0, ran.output
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_one_product_is_explained(tmp_path: Path) -> None:
    offers = _set(tmp_path)
    told = _explained(offers, "1", "2")
    assert told["band"] == "merge"
    assert told["veto"] is None
    assert ["same_gtin", ["04006381333931"], 8.0] in told["for"]
    assert any(code == "same_part_number" for code, *_ in told["for"])
    assert _explained(offers, "2", "1")["score"] == told["score"]
    ran = _run("explain", "1", "2", "--offers", offers)
    assert "merged with nobody looking" in ran.stdout
    assert "The same GTIN (04006381333931)" in ran.stdout


def test_two_products_are_explained(tmp_path: Path) -> None:
    offers = _set(tmp_path)
    assert _explained(offers, "2", "3")["band"] != "merge"
    variants = _explained(offers, "4", "5")
    assert (variants["band"], variants["veto"]) == ("apart", "capacity 64 GB and 128 GB")
    assert any(line.startswith("forbidden") for line in in_words(variants))
    assert _explained(offers, "1", "6")["band"] == "apart"


def test_what_a_person_looks_at_however_likely_is_told(tmp_path: Path) -> None:
    shelf = [f"{shop}{n},Lamp {shop} LX{n}9A,{shop}" for shop in "ab" for n in range(100, 420)]
    titles = {"a": "Vapora kettle KX214QTZ 1.7 l", "b": "Kettle Vapora KX214QTZ 1.7 l"}
    same = [f"{shop},{title},{shop}" for shop, title in (titles | {"c": titles["b"]}).items()]
    offers = tmp_path / "offers.csv"
    offers.write_text("\n".join(["id,title,merchant", *shelf, *same]), encoding="utf-8")
    known, little_known = _explained(offers, "a", "b"), _explained(offers, "a", "c")
    assert (known["band"], known["doubt"]) == ("merge", None)
    assert little_known["band"] == "steward"
    assert little_known["score"] >= 0.85
    told = "a person looks, however likely: A merchant is little known so far: 1 of 2 offers"
    assert told in list(in_words(little_known))
    assert "put before a steward" in next(in_words(little_known))


def test_an_unknown_offer_is_refused(tmp_path: Path) -> None:
    ran = _run("explain", "1", "99", "--offers", _set(tmp_path))
    assert isinstance(ran.exception, NotFound)
    assert "'99'" in str(ran.exception)


def test_every_piece_of_evidence_has_words() -> None:
    assert set(Evidence._fields) <= set(WORDS)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ((), "give either --pairs or --clusters"),
        (("--clusters", "truth", "--train-pairs", "truth"), "--train-pairs goes with --pairs"),
        (("--pairs", "truth", "--valid-pairs", "truth"), "--valid-pairs goes with --train-pairs"),
    ],
)
def test_options_that_do_not_go_together(
    tmp_path: Path, options: tuple[str, ...], reason: str
) -> None:
    offers = _set(tmp_path, truth="left_id,right_id,label\n1,2,1\n")
    truth = tmp_path / "kettles-truth.csv"
    given = [truth if each == "truth" else each for each in options]
    ran = _run("eval", "--offers", offers, *given)
    assert ran.exit_code == 2
    assert reason in ran.output


def test_another_model_that_is_none_is_refused(tmp_path: Path) -> None:
    offers = _set(tmp_path, pairs="left_id,right_id,label\n1,2,1\n")
    ran = _run(
        "eval", "--offers", offers, "--pairs", tmp_path / "kettles-pairs.csv", "--model", offers
    )
    assert isinstance(ran.exception, DomainError)
    assert ran.exception.code == "match_model_unreadable"


def test_sets_are_found_by_their_names(tmp_path: Path) -> None:
    _set(tmp_path, clusters="id,cluster\n1,k\n2,k\n3,t\n", train_pairs="left_id,right_id,label\n")
    kinds = [each.truth.name for each in truth_files(tmp_path)]
    assert kinds == ["kettles-clusters.csv", "kettles-train-pairs.csv"]
    with pytest.raises(DomainError, match="lamps"):
        truth_files(tmp_path, ("lamps",))


def test_examples_are_what_the_matcher_compares(tmp_path: Path) -> None:
    truth = "left_id,right_id,label\n1,2,1\n2,3,0\n4,5,0\n1,5,0\n"
    _set(tmp_path, clusters="id,cluster\n1,k\n2,k\n3,t\n4,p\n5,q\n", train_pairs=truth)
    clusters, pairs = (examples(each, WordEncoder()) for each in truth_files(tmp_path))
    # 4 and 5 differ in capacity: no model is asked about them.
    assert pairs.labels.tolist() == [1, 0, 0]
    assert pairs.rows.shape == (3, len(Evidence._fields))
    assert clusters.labels.sum() == 1
    assert set(clusters.groups) <= {"k", "t", "p", "q"}


def test_learning_without_its_library_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    offers = _set(tmp_path, pairs="left_id,right_id,label\n1,2,1\n2,3,0\n")
    pairs = tmp_path / "kettles-pairs.csv"
    ran = _run("eval", "--offers", offers, "--pairs", pairs, "--train-pairs", pairs)
    assert isinstance(ran.exception, DomainError)
    assert ran.exception.code == "training_needs_library"
    ran = _run("train", "--sets", tmp_path, "--out", tmp_path / "model.json")
    assert isinstance(ran.exception, DomainError)
