"""The merchant that speaks both protocols, once for all tests of this folder."""

from __future__ import annotations

from tests.protocols.merchant_server import acp_shop as acp_shop
from tests.protocols.merchant_server import ucp_shop as ucp_shop
