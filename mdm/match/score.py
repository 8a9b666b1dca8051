"""How likely two offers are of one product: what titles say, weighed by a learned model, and what
identifiers say, weighed by hand. Pure.

Both are log odds and are added, so that every decision is told as a sum of named pieces. The model
is a file beside this module (docs/matching-card.md); it has never seen an identifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mdm.match.card_formats import card_format
from mdm.match.decision import Piece
from mdm.match.ensemble import Ensemble, read_ensemble
from mdm.match.evidence import Evidence
from mdm.match.features import Features
from mdm.match.generations import generations
from mdm.match.model_codes import (
    larger_one,
    of_another_market,
    without_its_letters,
    written_in_pieces,
)
from mdm.match.part_numbers import are_sisters, said_number, sister_number
from mdm.match.rarity import TELLING, Rarity
from mdm.match.shared_codes import shared_codes
from mdm.match.short_names import unlike_names
from mdm.normalise.trade_words import ENGLISH_OF

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MODEL = Path(__file__).with_name("model.json")

SAME_GTIN = 8.0
SHARED_GTIN = 1.5
OTHER_GTIN = -1.0
SAME_PART_NUMBER = 7.0
SAME_PART_NUMBER_ALONE = 3.0
OTHER_PART_NUMBER = -2.0
# Written in one form: a maker's next thing.
SISTERS_NUMBER = -3.0
# A stated number that the other's title says.
SAID_PART_NUMBER = 4.0
SAID_PART_NUMBER_ALONE = 2.0
# A maker's own name of a model, stated by both: more than a rare word, less than a part number.
SAME_MODEL_CODE = 1.5
WHOLE_MODEL_CODE = 2.0
MODEL_CODE_LENGTH = 7
# What more offers carry than a product has merchants is a socket or a norm, no model.
MODEL_CODE_HOLDERS = 60
# Word for word the same title, where its words say more than a kind of thing.
SAME_TITLE = 1.0
SAME_TITLE_WEIGHT = 1.5
# `iphone 8` and `iphone x`, where no longer code says that both are one.
OTHER_SHORT_NAME = -2.5
# Of such pairs .70 to .98 are of one product, whatever else the titles score.
CODE_IN_PIECES = 1.25
OTHER_MARKET = 2.5
WITHOUT_LETTERS = 2.5
# Titles that lead with two makers, each of whom the other does not know.
OTHER_LEAD = -2.0
# `Mark II` and `Mark III`: of 76 such pairs that titles make likelier than .1 none was one product.
OTHER_GENERATION = -3.0
# Most shops say it, three in a hundred say it wrongly.
OTHER_CARD = -3.0
# A cartridge, and the one that holds more.
LARGER = -4.0
TELLING_CODE_LENGTH = 6
# What titles can say against a pair: an identifier shared without a doubt outweighs it.
AGAINST_AT_MOST = -5.0
# Contributions below this are not told.
MIN_TOLD = 0.05

_NOTHING: frozenset[str] = frozenset()
# What leads a title and is no maker: kinds of things, and what shops say of a piece before they
# name it (`SIM free iPhone`, `open box`).
_NO_MAKERS = frozenset(ENGLISH_OF.values()) | frozenset(
    ("exdisplay", "genuine", "grade", "open", "original", "sim", "simfree", "unisex", "used")
)


@lru_cache(maxsize=1)
def shipped_model() -> Ensemble:
    """The model that comes with the package. DomainError `match_model_unreadable`."""
    return read_ensemble(MODEL, Evidence._fields)


def probabilities(
    rows: Sequence[Evidence], identifiers: Sequence[Sequence[Piece]], model: Ensemble | None = None
) -> NDArray[np.float64]:
    """That each pair is of one product, by its evidence and by what is known beside it."""
    import numpy as np

    titles = (model or shipped_model()).log_odds(np.array(rows, dtype=np.float64))
    moved = [sum(by for *_, by in pieces) for pieces in identifiers]
    log_odds = np.maximum(titles, AGAINST_AT_MOST) + np.asarray(moved)
    found: NDArray[np.float64] = 1 / (1 + np.exp(-log_odds))
    return found


def explain(
    row: Evidence, identifiers: Sequence[Piece], model: Ensemble | None = None
) -> list[Piece]:
    """The pieces of evidence of a pair, those that move most first."""
    moved = (model or shipped_model()).contributions(row)
    told: list[Piece] = [
        (name, (round(value, 3),), moved[name])
        for name, value in zip(Evidence._fields, row, strict=True)
        if abs(moved[name]) >= MIN_TOLD
    ]
    return sorted([*identifiers, *told], key=lambda each: (-abs(each[2]), each[0]))


def identifier_evidence(
    one: Features, other: Features, ambiguous_gtins: frozenset[str] = _NOTHING
) -> list[Piece]:
    """What GTINs and part numbers say; ambiguous GTINs name several things."""
    return [*_gtins(one, other, ambiguous_gtins), *_part_numbers(one, other)]


def title_evidence(one: Features, other: Features, rarity: Rarity) -> list[Piece]:
    """What titles say as a whole: one rare model code where no maker is stated that speaks against
    it, or the same words."""
    found: list[Piece] = []
    code = _model_code(one, other)
    if code:
        is_rare = rarity.holders(code) <= MODEL_CODE_HOLDERS
        if is_rare and (one.manufacturer is None or other.manufacturer is None):
            found += _same_model(one, other, code)
    else:
        found += _codes_written_otherwise(one, other, rarity)
        leads = _unlike_leads(one, other)
        if leads:
            found.append(("other_lead", leads, OTHER_LEAD))
        named = generations(one.reading.text), generations(other.reading.text)
        if all(named) and not named[0] & named[1]:
            found.append(("other_generation", _numbered(*named), OTHER_GENERATION))
    is_same = one.reading.tokens == other.reading.tokens
    if is_same and rarity.weighed(one).words >= SAME_TITLE_WEIGHT:
        found.append(("same_title", (), SAME_TITLE))
    word = _unlike_names(one, other, rarity)
    if word:
        found.append(("other_short_name", (word,), OTHER_SHORT_NAME))
    larger = larger_one(one, other)
    if larger:
        found.append(("larger_one", (larger,), LARGER))
    card, other_card = card_format(one.reading.tokens), card_format(other.reading.tokens)
    if card and other_card and card != other_card:
        found.append(("other_card", sorted((card, other_card)), OTHER_CARD))
    return found


def _codes_written_otherwise(one: Features, other: Features, rarity: Rarity) -> list[Piece]:
    code = written_in_pieces(one, other)
    if code and rarity.holders(code) <= MODEL_CODE_HOLDERS:
        return [("code_in_pieces", (code,), CODE_IN_PIECES)]
    model = of_another_market(one, other)
    if model and rarity.holders(model) <= MODEL_CODE_HOLDERS:
        return [("other_market", (model,), OTHER_MARKET)]
    lettered = without_its_letters(one, other)
    if lettered and rarity.holders(lettered) <= MODEL_CODE_HOLDERS:
        return [("without_letters", (lettered,), WITHOUT_LETTERS)]
    return []


def _numbered(one: frozenset[int], other: frozenset[int]) -> list[str]:
    return sorted((str(max(one)), str(max(other))))


def _unlike_leads(one: Features, other: Features) -> tuple[str, ...]:
    """The first words of two titles, as makers lead them, where neither says that of the other;
    nothing where both state one maker, or where a word names no maker."""
    left, right = one.lead, other.lead
    if left is None or right is None or left == right or not (left + right).isalpha():
        return ()
    if one.manufacturer is not None and one.manufacturer == other.manufacturer:
        return ()
    if left in _NO_MAKERS or right in _NO_MAKERS:
        return ()
    return () if _says(other, left) or _says(one, right) else (left, right)


def _says(offer: Features, word: str) -> bool:
    return word in offer.reading.text or word in offer.reading.described


def _unlike_names(one: Features, other: Features, rarity: Rarity) -> str | None:
    """The word behind which both name another model; None where something longer joins them."""
    if one.gtins & other.gtins or one.mpns & other.mpns or _said_of_the_other(one, other):
        return None
    word = unlike_names(
        one.short_names, other.short_names, one.reading.tokens, other.reading.tokens
    )
    if word is None or any(
        len(code) >= TELLING_CODE_LENGTH and rarity[code] > TELLING
        for code in shared_codes(one, other)
    ):
        return None
    return word


def _gtins(one: Features, other: Features, ambiguous: frozenset[str]) -> list[Piece]:
    same = one.gtins & other.gtins
    clear = same - ambiguous
    if clear:
        return [("same_gtin", (min(clear),), SAME_GTIN)]
    if same:
        return [("shared_gtin", (min(same),), SHARED_GTIN)]
    if one.gtins and other.gtins:
        return [("other_gtin", (min(one.gtins), min(other.gtins)), OTHER_GTIN)]
    return []


def _part_numbers(one: Features, other: Features) -> list[Piece]:
    is_one_maker = _are_of_one_maker(one, other)
    same = one.mpns & other.mpns
    if same:
        moved = SAME_PART_NUMBER if is_one_maker else SAME_PART_NUMBER_ALONE
        return [("same_part_number", (min(same),), moved)]
    said = _said_of_the_other(one, other)
    if said:
        moved = SAID_PART_NUMBER if is_one_maker else SAID_PART_NUMBER_ALONE
        return [("said_part_number", (said,), moved)]
    code = _model_code(one, other)
    if code and _state_one_maker(one, other):
        return _same_model(one, other, code)
    return _other_part_number(one, other) if is_one_maker else []


def _said_of_the_other(one: Features, other: Features) -> str | None:
    """The stated part number of one that the title of the other says."""
    return said_number(one.mpns, other.reading.text) or said_number(other.mpns, one.reading.text)


def _other_part_number(one: Features, other: Features) -> list[Piece]:
    """Unlike numbers of one maker, who may have several for a thing unless they are alike."""
    if one.mpns and other.mpns:
        moved = SISTERS_NUMBER if are_sisters(one.mpns, other.mpns) else OTHER_PART_NUMBER
        return [("other_part_number", (min(one.mpns), min(other.mpns)), moved)]
    for each, beside in ((one, other), (other, one)):
        sister = sister_number(each.mpns, beside.reading.text)
        if sister:
            return [("other_part_number", (min(each.mpns), sister), SISTERS_NUMBER)]
    return []


def _are_of_one_maker(one: Features, other: Features) -> bool:
    """Both state one maker, or one states whom the other's title begins with, or both titles begin
    with one word."""
    makers = [each.manufacturer for each in (one, other) if each.manufacturer is not None]
    if len(makers) == 2:
        return makers[0] == makers[1]
    if not makers:
        return one.lead is not None and one.lead == other.lead
    silent = one if one.manufacturer is None else other
    return silent.lead is not None and makers[0].startswith(silent.lead)


def _state_one_maker(one: Features, other: Features) -> bool:
    return one.manufacturer is not None and one.manufacturer == other.manufacturer


def _same_model(one: Features, other: Features, code: str) -> list[Piece]:
    """More where both write it whole."""
    is_whole = code in one.codes and code in other.codes
    return [("same_model_code", (code,), WHOLE_MODEL_CODE if is_whole else SAME_MODEL_CODE)]


def _model_code(one: Features, other: Features) -> str | None:
    """The longest whole code that both state, where it is long enough to name one model."""
    shared = {each for each in shared_codes(one, other) if len(each) >= MODEL_CODE_LENGTH}
    stated = shared & (one.codes | other.codes | one.mpns | other.mpns)
    return max(stated, key=lambda each: (len(each), each), default=None)
