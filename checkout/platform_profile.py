"""What this installation is to merchants that speak UCP: where its profile is, and its signing key.

The address and the key file are worked out from the settings in one place, for the connectors that
sign and for the pages that publish.
"""

from __future__ import annotations

from pathlib import Path

from checkout.merchant_connectors._ucp_profiles import profile_address
from kernel.settings import Settings


def public_site(settings: Settings) -> str:
    """Our address as partners reach it, without a trailing slash."""
    site = settings.public_url or f"http://{settings.host}:{settings.shop_port}"
    return site.rstrip("/")


def key_file(settings: Settings) -> Path:
    """Where our signing key is kept; drawn at first use."""
    return settings.data / "secrets" / "ucp-signing-key.pem"


def connector_settings(settings: Settings, merchant_id: str) -> dict[str, str]:
    """What a connector has to know of us, whoever the merchant is."""
    return {
        "platform_profile": profile_address(public_site(settings), merchant_id),
        "platform_key": str(key_file(settings)),
    }
