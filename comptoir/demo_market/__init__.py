"""The demo market: fictional products, four fictional merchants and what each of them says.

In: hand-written sheets (TOML) and a seed. Out: a `Market`, feed files, the rows of the Oscar shop.
Invariant: the same seed gives the same bytes; `Market.truth()` knows which offers are one product.
"""

from comptoir.demo_market.generate import generate
from comptoir.demo_market.merchants import Merchant, merchants
from comptoir.demo_market.model import Market, MarketOffer, Product
from comptoir.demo_market.oscar_catalogue import oscar_catalogue

__all__ = [
    "Market",
    "MarketOffer",
    "Merchant",
    "Product",
    "generate",
    "merchants",
    "oscar_catalogue",
]
