"""Training the matcher's score: the same sets give the same file, and the matcher reads what was
learnt."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from comptoir.cli import cli
from comptoir.matching_training.examples import truth_files
from comptoir.matching_training.train import fit, predict, weighed, write
from comptoir.matching_training.validate import by_product, by_set
from mdm.match.ensemble import read_ensemble
from mdm.match.evidence import Evidence
from tests.mdm.offers_at_hand import WordEncoder

PRODUCTS = 120


def _set(folder: Path, name: str, seed: int) -> None:
    """Appliances of one maker in three shops each; sisters differ in one letter of their code."""
    chance = random.Random(seed)
    offers, clusters, pairs = (
        ["id,title,brand,merchant"],
        ["id,cluster"],
        ["left_id,right_id,label"],
    )
    for number in range(PRODUCTS):
        code = f"VK{seed}{number:03}{chance.choice('ABCDEF')}{chance.choice('GHKLM')}"
        kind = chance.choice(["kettle", "toaster", "mixer"])
        words = chance.sample(["steel", "white", "compact", "1.7 l", "2200 w", "quiet", "box"], 3)
        titles = (
            f"Vapora {code} {kind} {words[0]}",
            f"{kind} Vapora {code[:2]} {code[2:]} {words[1]} {words[2]}",
            f"Vapora {kind} {code.lower()}",
        )
        for shop, title in enumerate(titles):
            offers.append(f"{number}-{shop},{title},Vapora,shop {shop}")
            clusters.append(f"{number}-{shop},{number}")
        other = chance.randrange(PRODUCTS)
        pairs.append(f"{number}-0,{number}-1,1")
        pairs.append(f"{number}-0,{other}-2,{int(other == number)}")
    for kind, lines in (("offers", offers), ("clusters", clusters), ("train-pairs", pairs)):
        (folder / f"{name}-{kind}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    _set(tmp_path, "north", 1)
    _set(tmp_path, "south", 2)
    return tmp_path


def test_the_same_sets_give_the_same_file_and_the_matcher_reads_it(sets: Path) -> None:
    files = []
    for out in (sets / "one.json", sets / "two.json"):
        parts = weighed(truth_files(sets), WordEncoder(), lambda _: None)
        model = fit(parts)
        write(model, out, parts)
        files.append(out.read_bytes())
    assert files[0] == files[1]
    ensemble = read_ensemble(sets / "one.json", Evidence._fields)
    rows = parts[0][0].rows[:200]
    told = ensemble.log_odds(rows.astype(np.float64))
    assert np.abs(told - predict(model, rows)).max() < 0.01
    made_from = json.loads(files[0])["made_from"]
    assert {each["set"] for each in made_from} == {"north", "south"}


def test_what_is_left_out_is_judged_by_the_others(sets: Path) -> None:
    parts = weighed(truth_files(sets), WordEncoder(), lambda _: None)
    left_out = by_set(parts, lambda _: None)
    assert set(left_out) == {
        f"{name}-{kind}.csv" for name in ("north", "south") for kind in ("clusters", "train-pairs")
    }
    held = by_product(parts, lambda _: None)
    assert set(held) == {"north-clusters.csv", "south-clusters.csv"}
    assert all(figures["average_precision"] > 0.8 for figures in held.values())


def test_a_run_learns_from_the_set_s_own_pairs(sets: Path) -> None:
    offers, truth = str(sets / "north-offers.csv"), str(sets / "north-train-pairs.csv")
    learning = ["--train-pairs", truth, "--valid-pairs", truth]
    ran = CliRunner().invoke(
        cli,
        ["match", "eval", "--offers", offers, "--pairs", truth, *learning, "--json"],
        catch_exceptions=False,
    )
    figures = json.loads(ran.stdout)
    assert figures["f1"] > 0.9
    assert figures["trained_on"] == 2 * PRODUCTS


def _learnt(sets: Path, truth: str, judged: str) -> dict[str, float]:
    offers = str(sets / "north-offers.csv")
    pairs = [sets / "train.csv", sets / "judged.csv"]
    for path, lines in zip(pairs, (truth, judged), strict=True):
        path.write_text(f"left_id,right_id,label\n{lines}", encoding="utf-8")
    ran = CliRunner().invoke(
        cli,
        ["match", "eval", "--offers", offers, "--pairs", str(pairs[1]), "--train-pairs",
         str(pairs[0]), "--json"],
        catch_exceptions=False,
    )  # fmt: skip
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def test_too_little_to_learn_from_leaves_the_judging_to_the_shipped_model(sets: Path) -> None:
    judged = "".join(f"{n}-0,{n}-2,1\n{n}-0,{n + 1}-2,0\n" for n in range(60, 90))
    few = _learnt(sets, "1-0,1-1,1\n1-0,2-1,0\n", judged)
    assert few["trained_on"] == 0
    assert few["f1"] > 0.9
    one_sided = _learnt(sets, "".join(f"{n}-0,{n}-1,1\n" for n in range(50)), judged)
    assert one_sided["trained_on"] == 0
    assert one_sided["f1"] == few["f1"]
    assert few["seconds"] > 0


def test_pairs_of_offers_without_a_title_are_judged_as_two(sets: Path) -> None:
    path = sets / "north-offers.csv"
    path.write_text(path.read_text(encoding="utf-8") + "blank,,,\n", encoding="utf-8")
    truth = "".join(f"{n}-0,{n}-1,1\n{n}-0,{n + 1}-1,0\n" for n in range(50))
    found = _learnt(sets, truth + "blank,3-1,1\n", "blank,3-1,0\n60-0,60-1,1\n60-0,61-1,0\n")
    assert found["trained_on"] == 100
    assert found["f1"] == 1.0
