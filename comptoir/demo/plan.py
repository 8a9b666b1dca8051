"""Where everything of the demonstration listens and lies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from comptoir.payment_simulator.keys import platform_keys


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """Six ports in a row from `port`, and one data folder."""

    data: Path
    port: int = 8000
    elasticsearch_url: str | None = None

    @property
    def shop(self) -> str:
        """Address of the shop."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def backoffice(self) -> str:
        """Address of the back office and the push API."""
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def sites(self) -> str:
        """Address of the merchants' own sites."""
        return f"http://127.0.0.1:{self.port + 2}"

    @property
    def oscar(self) -> str:
        """Address of the django-oscar shop."""
        return f"http://127.0.0.1:{self.port + 3}"

    @property
    def payment(self) -> str:
        """Address of the payment provider."""
        return f"http://127.0.0.1:{self.port + 4}"

    @property
    def werkkontor(self) -> str:
        """Address of Werkkontor's checkout, which speaks UCP."""
        return f"http://127.0.0.1:{self.port + 5}"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Everything that listens, in the order of the ports."""
        return (
            self.shop, self.backoffice, self.sites, self.oscar, self.payment, self.werkkontor,
        )  # fmt: skip

    @property
    def site_host(self) -> str:
        """The merchants' sites as `host:port`, which the guarded client is told to allow."""
        return self.sites.removeprefix("http://")

    def environment(self) -> Mapping[str, str]:
        """The settings of every process of the demonstration."""
        keys = platform_keys(self.data / "payment")
        chosen = {
            "COMPTOIR_DATA": str(self.data),
            "HOST": "127.0.0.1",
            "SHOP_PORT": str(self.port),
            "BACKOFFICE_PORT": str(self.port + 1),
            "PUBLIC_URL": self.shop,
            "PAYMENT_PROVIDER": "simulator",
            "PAYMENT_URL": self.payment,
            "PAYMENT_API_KEY": keys.api_key,
            "PAYMENT_WEBHOOK_SECRET": keys.webhook_secret,
            "BRAND_BY_QUERY": "true",
        }
        if self.elasticsearch_url is not None:
            chosen["ELASTICSEARCH_URL"] = self.elasticsearch_url
        return chosen

    @property
    def _state_file(self) -> Path:
        return self.data / "demo.json"

    def loaded(self, market: str) -> bool:
        """Whether this market (by its digest) was loaded to the end before."""
        if not self._state_file.is_file():
            return False
        state = json.loads(self._state_file.read_text("utf-8"))
        return bool(state == self._state(market))

    def remember(self, market: str) -> None:
        """Note that the market is loaded; written last, so that a kill leaves it to be done."""
        part = self._state_file.with_suffix(".part")
        part.write_text(json.dumps(self._state(market)), "utf-8")
        part.replace(self._state_file)

    def _state(self, market: str) -> dict[str, object]:
        return {"market": market, "port": self.port}
