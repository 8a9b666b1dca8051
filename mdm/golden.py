"""The golden record: which offer's word survives for each field of a product. Pure.

Scalars follow the majority, lists are united, texts are chosen by language; `provenance` names the
offer that each was taken from. The same offers in any order give the same record.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kernel.ids import derived_id
from mdm.match.features import compact, is_quantity, tokens
from mdm.normalise.text import folded
from mdm.normalise.vocabulary import COLOUR_OF, SALES_WORDS, STOP_WORDS

MAX_IMAGES = 10
MAX_IDENTIFIERS = 200
UNKNOWN_LANGUAGE = "und"
# One piece of sales talk outweighs two words that other merchants use too.
SHOUTING = 2.0
VARIANT_KEYS = ("colour", "capacity", "memory", "size", "keyboard")


@dataclass(frozen=True, slots=True)
class Member:
    """A live offer of the product: what the record is made of."""

    offer_id: str
    merchant_id: str
    title: str
    language: str | None
    condition: str
    facts: Mapping[str, Any]


def golden_record(members: Sequence[Member]) -> dict[str, Any]:
    """The record of at least one member, in its stored form."""
    best = sorted(members, key=_rank)
    provenance: dict[str, str] = {}
    titles = _titles(best, provenance)
    record: dict[str, Any] = {
        "titles": titles,
        "descriptions": _descriptions(best, provenance),
        "manufacturer": _majority(best, provenance, "manufacturer", compact),
        "gtins": _united(best, provenance, "gtins", lambda facts: facts.get("gtins", ())),
        "mpns": _united(best, provenance, "mpns", lambda facts: _listed(facts.get("mpn"))),
        "shop_numbers": _united(best, provenance, "shop_numbers", _shop_numbers),
        "category_id": _majority(best, provenance, "category_id", int),
        "attributes": _attributes(best, provenance),
        "image_urls": _united(best, provenance, "image_urls", _pictures)[:MAX_IMAGES],
    }
    record["variant_group"] = _variant_group(best, record)
    record["provenance"] = provenance
    return record


def _rank(member: Member) -> tuple[bool, int, str]:
    """New goods are described best by offers of new goods, then by those that say most."""
    facts = member.facts
    said = sum(
        bool(facts.get(name))
        for name in ("gtins", "mpn", "manufacturer", "description", "image_urls", "category_id")
    )
    return member.condition != "new", -said, member.offer_id


def _listed(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


def _shop_numbers(facts: Mapping[str, Any]) -> Sequence[str]:
    """Bar codes for use within a shop: no identity, yet people type them in."""
    problems = (each.partition(":") for each in facts.get("gtin_problems", ()))
    return [number for problem, _, number in problems if problem == "restricted" and number]


def _pictures(facts: Mapping[str, Any]) -> Sequence[str]:
    found: Sequence[str] = facts.get("image_urls", ())
    return found


def _titles(best: Sequence[Member], provenance: dict[str, str]) -> dict[str, str]:
    """In each language the title whose words most others use too; ties go to the better offer."""
    uses = Counter(word for each in best for word in set(tokens(each.title)))
    by_language: dict[str, list[Member]] = defaultdict(list)
    for each in best:
        by_language[each.language or UNKNOWN_LANGUAGE].append(each)
    titles = {}
    for language in sorted(by_language):
        chosen = max(by_language[language], key=lambda each: _agreement(each, uses))
        titles[language] = chosen.title
        provenance[f"titles.{language}"] = chosen.offer_id
    return titles


def _agreement(member: Member, uses: Counter[str]) -> tuple[bool, float]:
    words = set(tokens(member.title))
    shared = sum(1 for word in words if uses[word] > 1)
    said = shared - 0.3 * (len(words) - shared) - SHOUTING * sales_talk(member.title)
    return member.condition == "new", round(said, 6)


def sales_talk(title: str) -> int:
    """How much of a title sells rather than names: sales words, stars, words all in capitals."""
    words = title.split()
    selling = SALES_WORDS.intersection(re.findall(r"[^\W\d_]+", folded(title)))
    shouted = sum(len(word) > 3 and word.isalpha() and word.isupper() for word in words)
    return len(selling) + len(re.findall(r"[*!]+", title)) + min(shouted, 2)


def _descriptions(best: Sequence[Member], provenance: dict[str, str]) -> dict[str, str]:
    """The longest in each language."""
    chosen: dict[str, Member] = {}
    for each in best:
        text = each.facts.get("description")
        language = each.language or UNKNOWN_LANGUAGE
        held = chosen.get(language)
        if text and (held is None or len(text) > len(held.facts["description"])):
            chosen[language] = each
    for language, each in sorted(chosen.items()):
        provenance[f"descriptions.{language}"] = each.offer_id
    return {language: each.facts["description"] for language, each in sorted(chosen.items())}


def _majority(
    best: Sequence[Member],
    provenance: dict[str, str],
    name: str,
    sameness: Callable[[Any], Any],
) -> Any:
    """The value most offers state, in the spelling of the best of them; None when none does."""
    stated = [(each, each.facts[name]) for each in best if each.facts.get(name)]
    if not stated:
        return None
    votes = Counter(sameness(value) for _, value in stated)
    most = max(votes.values())
    member, value = next(pair for pair in stated if votes[sameness(pair[1])] == most)
    provenance[name] = member.offer_id
    return value


def _united(
    best: Sequence[Member],
    provenance: dict[str, str],
    name: str,
    values_of: Callable[[Mapping[str, Any]], Sequence[str]],
) -> list[str]:
    """All values, those that most offers state first."""
    first: dict[str, str] = {}
    votes: Counter[str] = Counter()
    for each in best:
        for value in dict.fromkeys(values_of(each.facts)):
            votes[value] += 1
            first.setdefault(value, each.offer_id)
    order = {value: place for place, value in enumerate(first)}
    values = sorted(first, key=lambda value: (-votes[value], order[value]))[:MAX_IDENTIFIERS]
    if values:
        provenance[name] = first[values[0]]
    return values


def _attributes(best: Sequence[Member], provenance: dict[str, str]) -> dict[str, str]:
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    first: dict[tuple[str, str], str] = {}
    for each in best:
        for key, value in each.facts.get("attributes", {}).items():
            votes[key][value] += 1
            first.setdefault((key, value), each.offer_id)
    chosen = {}
    for key in sorted(votes):
        # Counter keeps the order of first votes, so the better offer wins a tie.
        value = max(votes[key], key=votes[key].__getitem__)
        chosen[key] = value
        provenance[f"attributes.{key}"] = first[key, value]
    return chosen


def _variant_group(best: Sequence[Member], record: Mapping[str, Any]) -> str | None:
    """Shared by products that differ in colour, size or capacity only.

    A merchant's own group says so; else the title without the words of the variant, where there
    are such words.
    """
    groups = sorted(
        (each.merchant_id, each.facts["group"]) for each in best if each.facts.get("group")
    )
    if groups:
        return derived_id("grp", *groups[0])
    if not any(record["attributes"].get(key) for key in VARIANT_KEYS):
        return None
    title = next(iter(record["titles"].values()))
    stem = [
        word
        for word in tokens(title)
        if word not in COLOUR_OF and word not in STOP_WORDS and not is_quantity(word)
    ]
    stem = [word for word in stem if not word.isdigit() or len(word) < 3]
    return derived_id("grp", compact(record["manufacturer"] or ""), *stem) if stem else None
