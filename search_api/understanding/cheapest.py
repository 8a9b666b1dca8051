"""Whether a question asks for what is cheap: `cheapest laptop`, `lave-linge pas cher`.

Such words say nothing of a thing and change no order by themselves: of all that has the words, the
cheapest is what comes with the thing. The order by price, among things of that kind, is offered.
Pure.
"""

from __future__ import annotations

import re

from indexer.folding import fold

# What is followed by `than` is a limit (`cheaper than 400 €`), which has its own reader.
_CHEAP = re.compile(
    r"(?<!\w)(?:cheap(?:er|est)?|lowest price|best price|affordable|inexpensive"
    r"|pas (?:trop )?cher(?:e|s|es)?|moins cher(?:e|s|es)?|bon marche|petits? prix"
    r"|(?:gunstig|billig|preiswert|preisgunstig)(?:e|er|es|en|em|ste|ster|stes|sten|stem)?)"
    r"(?!\w)(?!\s+(?:que|als|than)\b)"
)


def asks_for_cheap(text: str) -> bool:
    """In any of the three languages: people mix them."""
    return _CHEAP.search(fold(text)) is not None
