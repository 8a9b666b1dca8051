"""How often one caller may use a door: counted by a pseudonym that is kept for a minute.

Open when the shared memory is away: each process then counts for itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from kernel.cache import Cache
from kernel.errors import TooMany
from search_api.query_id import QueryIds

WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit for each caller and minute of one door."""

    cache: Cache
    ids: QueryIds
    door: str
    limit: int

    def of_address(self, request: Request, brand_id: str) -> None:
        """Count a call of this address. Raises TooMany."""
        host = request.client.host if request.client else ""
        self.of_name(self.ids.pseudonym(f"{brand_id} {host}"))

    def of_name(self, name: str) -> None:
        """Count a call of this caller. Raises TooMany."""
        wait = self.cache.wait_s(f"{self.door}:{name}", limit=self.limit, per_s=WINDOW_S)
        if wait:
            raise TooMany(f"At most {self.limit} calls a minute are answered here.", wait)
