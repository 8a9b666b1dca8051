"""What is bought, in words: the product's names, the merchant's own title, the condition.

Written into the quote, which is never changed: the order made of it says for good what was bought,
in every language of the brand, though the offer be long gone. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kernel.offer_terms import Condition, Grade
from mdm.product_view import OfferView


@dataclass(frozen=True, slots=True)
class Named:
    """An article for one reader. `language` is that of `name`, None where nobody says it.

    `own_title` is the merchant's own title where it is another than the name.
    """

    name: str
    language: str | None
    own_title: str | None


@dataclass(frozen=True, slots=True)
class Article:
    """`title` is the merchant's own, `language` the one it is in.

    `names` are the product's by language, the brand's first language first. `condition` is None
    where it was not recorded: for quotes of earlier releases, and offers that were withdrawn.
    """

    title: str
    language: str | None = None
    names: tuple[tuple[str, str], ...] = ()
    condition: Condition | None = None
    grade: Grade | None = None

    @property
    def is_new(self) -> bool:
        """True where nothing has to be said of the condition."""
        return self.condition in {None, Condition.NEW}

    def named(self, language: str) -> Named:
        """Name in the reader's language, else in the brand's first that has one."""
        names = dict(self.names)
        for candidate in (language, *names):
            if candidate in names:
                is_same = _folded(names[candidate]) == _folded(self.title)
                own_title = None if is_same else self.title
                return Named(names[candidate], candidate, own_title)
        return Named(self.title, self.language, None)

    def as_document(self) -> dict[str, Any]:
        """The stored form; a list of pairs, for JSONB keeps no order of names."""
        return {
            "title": self.title,
            "language": self.language,
            "names": [list(pair) for pair in self.names],
            "condition": self.condition,
            "grade": self.grade,
        }

    @classmethod
    def from_document(cls, value: Mapping[str, Any]) -> Article:
        """Inverse of `as_document`; documents of earlier releases have the title alone."""
        condition, grade = value.get("condition"), value.get("grade")
        return cls(
            title=value["title"],
            language=value.get("language"),
            names=tuple((language, name) for language, name in value.get("names", ())),
            condition=None if condition is None else Condition(condition),
            grade=None if grade is None else Grade(grade),
        )


def article_of(offer: OfferView, titles: Mapping[str, str], languages: Sequence[str]) -> Article:
    """The article of an offer. `titles` are its product's, `languages` the brand's in order."""
    return Article(
        title=offer.title,
        language=offer.language,
        names=tuple((each, titles[each]) for each in languages if titles.get(each)),
        condition=offer.condition,
        grade=None if offer.grade is Grade.NEW else offer.grade,
    )


def article_json(article: Article, language: str) -> dict[str, Any]:
    """What the API says of an article, for a reader of the language."""
    named = article.named(language)
    return {
        "name": named.name,
        "name_language": named.language,
        "title": article.title,
        "title_language": article.language,
        "condition": article.condition,
        "grade": article.grade,
    }


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
