"""What offers cost that would break a matcher, at the sizes in which they come.

    BENCH_HOSTILE_SHARE=1 python -m bench matching_hostile

One GTIN on everything, one title on everything, titles of ten thousand letters, every field odd:
matched at once, from nothing, by normaliser and matcher as ingestion does. Told beside processor
time and memory: the largest product, and how many offers that stay alone say why.
"""

from __future__ import annotations

import os
import random
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.figures import Figure
from kernel.embedding.encoder import Encoder, load_encoder
from kernel.gtin import check_digit
from mdm.evaluation.run import understand
from mdm.match.decide import MAX_OFFERS
from mdm.raw_offer import RawOffer

SHARE = float(os.environ.get("BENCH_HOSTILE_SHARE", "1"))
GTIN = "952000800000" + check_digit("952000800000")
THINGS = ("kettle", "toaster", "drill", "lamp", "sofa", "bicycle", "tent", "piano")
ODD = (
    "\u202e",
    "\x00",
    "%s",
    "'; DROP",
    "<script>",
    "冷蔵庫",
    "ثلاجة",
    "🧊",
    "1e309",
    "NaN",
    "g:1",
)


@dataclass(frozen=True, slots=True)
class Attack:
    """So many offers, made by their number."""

    name: str
    number: int
    offer: Callable[[int], RawOffer]


def measure() -> Iterator[Figure]:
    """Each attack in turn."""
    encoder = load_encoder()
    for attack in ATTACKS:
        number = max(10, round(attack.number * SHARE))
        yield Figure(f"{attack.name}, {number:,} offers", _told(attack, number, encoder))


def _told(attack: Attack, number: int, encoder: Encoder) -> str:
    offers = [attack.offer(each) for each in range(number)]
    began = time.process_time()
    understood = understand(offers, encoder)
    decision = understood.matching.decision()
    spent = time.process_time() - began
    sizes = [len(group.members) for group in decision.groups]
    alone = [group for group in decision.groups if len(group.members) == 1]
    with_reason = sum(bool(_reasons(group.evidence)) for group in alone)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{spent:.0f} s of processor time, {peak_mb:.0f} MB; largest product {max(sizes)} of at "
        f"most {MAX_OFFERS}, {len(sizes):,} products, {len(decision.reviews):,} questions, "
        f"{with_reason:,} of {len(alone):,} alone with a reason"
    )


def _reasons(evidence: dict[str, dict[str, object]]) -> Sequence[object]:
    return [each for told in evidence.values() if (each := told.get("kept_apart"))]


def _of_one_gtin(number: int, merchants: int) -> RawOffer:
    title = f"{THINGS[number % 8]} number {number * 7919 % 99_991} x{number * 31 % 9_973}k"
    return RawOffer(f"o{number}", title, None, gtins=(GTIN,), seller=f"s{number % merchants}")


def _long(number: int) -> RawOffer:
    chance = random.Random(number)
    words = " ".join(f"word{chance.randrange(10**6)}x" for _ in range(1_000))
    return RawOffer(f"o{number}", words[:10_000], None, seller=f"s{number}")


def _odd(number: int) -> RawOffer:
    chance = random.Random(number)

    def text(length: int) -> str:
        return " ".join(chance.choice((*ODD, *THINGS)) for _ in range(length))

    return RawOffer(
        f"o{number}",
        text(12),
        None,
        seller=f"s{number % 50}",
        description=text(2_000),
        gtins=(GTIN, text(3), "0" * 400, "7,8332E+11"),
        mpn=text(30),
        manufacturer=text(30),
        category=text(50),
        condition=text(4),
        availability=text(3),
        multipack=chance.choice((None, -1, 0, 10**9)),
        attributes=tuple((text(3), text(40)) for _ in range(200)),
    )


ATTACKS = (
    Attack("one GTIN on everything of 200 merchants", 50_000, lambda n: _of_one_gtin(n, 200)),
    Attack("one GTIN on everything of everybody", 50_000, lambda n: _of_one_gtin(n, 50_000)),
    Attack(
        "one title with a model code, of everybody",
        30_000,
        lambda n: RawOffer(f"o{n}", "Norvalis kettle KX214Q steel", None, seller=f"s{n}"),
    ),
    Attack(
        "one title without a code, of everybody",
        30_000,
        lambda n: RawOffer(f"o{n}", "Norvalis kettle", None, seller=f"s{n}"),
    ),
    Attack(
        "one title, of one merchant",
        30_000,
        lambda n: RawOffer(f"o{n}", "Norvalis kettle KX214Q steel", None, seller="s"),
    ),
    Attack("titles of 10,000 letters", 5_000, _long),
    Attack("every field hostile", 5_000, _odd),
)
