"""The evaluation of the matcher: figures by hand, files of strangers, the command itself."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from comptoir.cli import cli
from kernel.errors import DomainError
from mdm.evaluation import plain_form
from mdm.evaluation.metrics import (
    average_precision,
    bcubed,
    pair_figures,
    recall_of_candidates,
)
from mdm.evaluation.run import evaluate_clusters, understand
from mdm.raw_offer import RawOffer
from tests.mdm.offers_at_hand import WordEncoder

TRUTH = {"a": "1", "b": "1", "c": "1", "d": "2"}
FOUND = {"a": "x", "b": "x", "c": "y", "d": "y"}


def test_pairs_are_counted() -> None:
    figures = pair_figures(FOUND, TRUTH)
    assert (figures.precision, figures.recall) == (1 / 2, 1 / 3)


def test_bcubed_is_the_mean_over_offers() -> None:
    figures = bcubed(FOUND, TRUTH)
    assert figures.precision == pytest.approx((1 + 1 + 0.5 + 0.5) / 4)
    assert figures.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1) / 4)


def test_perfect_and_empty_sets() -> None:
    assert pair_figures(TRUTH, TRUTH).f1 == bcubed(TRUTH, TRUTH).f1 == 1.0
    assert pair_figures({}, {}).f1 == bcubed({}, {}).f1 == 1.0


def test_candidates_count_once_in_either_direction() -> None:
    assert recall_of_candidates([("a", "b"), ("b", "a"), ("a", "d")], TRUTH) == pytest.approx(1 / 3)


def test_average_precision_with_ties() -> None:
    assert average_precision([0.9, 0.8, 0.7], [True, False, True]) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision([0.5, 0.5], [True, False]) == pytest.approx(0.5)


def test_command_measures_a_small_set(tmp_path: Path) -> None:
    offers = tmp_path / "offers.csv.gz"
    with gzip.open(offers, "wt", encoding="utf-8") as stream:
        stream.write(
            "id,title,brand,gtin,attributes\n"
            '1,Kettle Vapora VK-2200 1.7 l,Vapora,4006381333931,"{""colour"": ""black""}"\n'
            "2,Vapora VK2200 Wasserkocher schwarz,Vapora,4006381333931,\n"
            "3,Toaster Solera TS-900,Solera,,\n"
            "4,,Solera,,\n"
        )
    clusters = tmp_path / "clusters.csv"
    clusters.write_text("id,cluster\n1,k\n2,k\n3,t\n4,n\n", encoding="utf-8")
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("left_id,right_id,label\n1,2,1\n1,3,0\n1,4,0\n", encoding="utf-8")
    for option, file in (("--clusters", clusters), ("--pairs", pairs)):
        ran = CliRunner().invoke(
            cli,
            ["match", "eval", "--offers", str(offers), option, str(file), "--json"],
            catch_exceptions=False,
        )
        figures = json.loads(ran.stdout)
        name = "pair_f1" if option == "--clusters" else "f1"
        assert figures[name] == 1.0
        assert figures["offers"] == 4


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("id,name\n1,x\n", "title is missing"),
        ("id,title\n1,x\n1,y\n", "there twice"),
        ("id,title\n,x\n", "id is empty"),
        ("id,title,attributes\n1,x,[1]\n", "not a JSON object"),
        ("id,title,attributes\n1,x,{\n", "not JSON"),
        ("id,title\n1,\xff\n", "not UTF-8"),
        ("", "the file is empty"),
        ("id,title\n", "no row"),
        ("id;title;brand\n1;x;y\n", "parted by semicolons"),
        ("id,title,brand\n1,Kettle, steel,Vapora\n", "more fields than columns"),
        ('id,title,attributes\n1,x,"{""a"":' + "[" * 90_000 + '"\n', "too deep"),
    ],
)
def test_a_file_that_is_no_set_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "offers.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DomainError, match=reason):
        plain_form.read_offers(path)


def test_what_programs_write_in_several_ways_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "offers.csv"
    said = '{"Colour": "red", "Width": NaN, "Ports": ["HDMI", 2], "New": true, "x": null}'
    quoted = said.replace('"', '""')
    path.write_text(f'\ufeffTitle, ID ,Attributes\nKettle,7,"{quoted}"\n', encoding="utf-8")
    (offer,) = plain_form.read_offers(path)
    assert (offer.sku, offer.title) == ("7", "Kettle")
    assert offer.attributes == (("Colour", "red"), ("Ports", "HDMI, 2"), ("New", "yes"))
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("left_id,right_id,label\n7,7,True\n7,7,0.0\n7,7,1\n", encoding="utf-8")
    assert [each.is_match for each in plain_form.read_pairs(pairs, {"7"})] == [True, False, True]


def test_a_description_of_a_whole_page_is_no_reason_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "offers.csv"
    path.write_text("id,title,description\n1,Kettle," + "word " * 90_000 + "\n", encoding="utf-8")
    (offer,) = plain_form.read_offers(path)
    assert offer.title == "Kettle"


def test_a_run_says_how_far_it_is() -> None:
    offers = [RawOffer(str(n), f"Kettle Vapora VK-{n % 30}", None) for n in range(60)]
    told: dict[str, list[tuple[int, int]]] = {}

    def progress(stage: str, done: int, total: int) -> None:
        told.setdefault(stage, []).append((done, total))

    evaluate_clusters(offers, {each.sku: each.title for each in offers}, WordEncoder(), progress)
    assert list(told) == ["reading", "looking for candidates", "comparing", "deciding"]
    assert all(told[stage][-1][0] == told[stage][-1][1] for stage in list(told)[1:])


def test_the_order_of_the_file_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    # More of one kind than an offer has candidates: which are taken must not depend on the order,
    # in the index of large batches either.
    monkeypatch.setattr("mdm.match.candidates._SMALL_BATCH", 10)
    offers = [
        RawOffer(f"{n:03}", f"Card Stivora {size} GB class {n % 10} shop {n // 10}", None)
        for size in (32, 64)
        for n in range(size * 10, size * 10 + 120)
    ]
    found = []
    for seed in range(3):
        random.Random(seed).shuffle(offers)
        understood = understand(offers, WordEncoder())
        ids = [each.offer_id for each in understood.newcomers]
        pairs = understood.matching.candidates()
        found.append({frozenset((ids[one], ids[other])) for one, other in pairs})
    assert found[0] == found[1] == found[2]


def test_truth_about_unknown_offers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("left_id,right_id,label\n1,9,1\n", encoding="utf-8")
    with pytest.raises(DomainError, match="not among the offers"):
        plain_form.read_pairs(path, {"1"})


def test_a_cut_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "offers.csv.gz"
    path.write_bytes(gzip.compress(b"id,title\n" + b"1,kettle\n" * 500)[:40])
    with pytest.raises(DomainError, match="line"):
        plain_form.read_offers(path)
