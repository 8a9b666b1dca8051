"""The statement of how things are ordered, beside every list.

The duty: directive 2019/2161 and, in France, Code de la consommation D111-11.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Literal

Subject = Literal["results", "sorted", "offers"]


@lru_cache(maxsize=1)
def _statements() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(files("tenants").joinpath("disclosure.toml").read_text("utf-8"))


def disclosure(subject: Subject, language: str, merchant_count: int) -> str:
    """The statement for a result list in default order, in a chosen order, or for offers."""
    texts = _statements()[subject]
    return texts.get(language, texts["en"]).format(merchants=merchant_count)
