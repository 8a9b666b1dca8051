"""What an export shows beside the entries: who keeps the books, and what accounts are called.

It is written down when a period is closed, so that no later setting and no later chart changes what
a closed period looks like. Pure.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from kernel.errors import DomainError
from kernel.settings import Settings

Chart = Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Presentation:
    """`charts` maps the name of a format to numbers and names of accounts by their role."""

    country: str
    siren: str
    datev_consultant: int
    datev_client: int
    charts: Mapping[str, Chart]

    def account(self, chart: str, role: str) -> tuple[str, str]:
        """Number and name. DomainError `account_unknown` for a role that the chart leaves out."""
        found = self.charts.get(chart, {}).get(role)
        if found is None:
            raise DomainError("account_unknown", f"The chart {chart} has no account for {role}.")
        return found

    def as_json(self) -> dict[str, Any]:
        """The stored form."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Presentation:
        """Inverse of `as_json`."""
        return cls(**{**value, "charts": _charts(value["charts"])})


def current_presentation(settings: Settings) -> Presentation:
    """As the settings and the charts of this release have it."""
    return Presentation(
        country=settings.accounts_country,
        siren=settings.accounts_siren,
        datev_consultant=settings.datev_consultant,
        datev_client=settings.datev_client,
        charts=_bundled(),
    )


@lru_cache(maxsize=1)
def _bundled() -> Mapping[str, Chart]:
    text = files("checkout.accounting").joinpath("charts.toml").read_text("utf-8")
    return _charts(tomllib.loads(text))


def _charts(value: Mapping[str, Any]) -> dict[str, Chart]:
    return {
        name: {role: (str(number), str(label)) for role, (number, label) in chart.items()}
        for name, chart in value.items()
    }
