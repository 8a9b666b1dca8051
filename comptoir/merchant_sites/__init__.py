"""The web of the demo merchants: two feeds, a small shop with JSON-LD, pages behind every link.

In: a `Market`. Out: one Starlette application. Prices changed while it runs live in memory only.
"""

from comptoir.merchant_sites.app import create_app

__all__ = ["create_app"]
