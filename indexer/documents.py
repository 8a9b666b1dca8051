"""Documents held in a process: a bounded memory of what hits of a search stand for.

Both engines use it. A document is held at a version in an index; a hit that names both is answered
from here, so what is shown is never older than what was found.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from indexer.document import ProductDocument
from indexer.hits import Hit

_AT_MOST = 400
"""Documents; some 15 kB each with ten offers."""


class Documents:
    """The memory of one process; threads share it."""

    def __init__(self, at_most: int = _AT_MOST) -> None:
        self._at_most = at_most
        self._held: OrderedDict[tuple[str, str], tuple[int, ProductDocument]] = OrderedDict()
        self._changing = threading.Lock()

    def held(self, products: Sequence[str | Hit]) -> dict[str, ProductDocument]:
        """Documents of those products that are hits and held as they were seen."""
        found = {}
        with self._changing:
            for product in products:
                if isinstance(product, str):
                    continue
                where = (product.index, product.product_id)
                known = self._held.get(where)
                if known is not None and known[0] == product.version:
                    self._held.move_to_end(where)
                    found[product.product_id] = known[1]
        return found

    def keep(self, products: Sequence[str | Hit], documents: Mapping[str, ProductDocument]) -> None:
        """Hold what was read for hits; the longest unused make room."""
        with self._changing:
            for product in products:
                if isinstance(product, str) or product.product_id not in documents:
                    continue
                where = (product.index, product.product_id)
                self._held[where] = (product.version, documents[product.product_id])
                self._held.move_to_end(where)
            while len(self._held) > self._at_most:
                self._held.popitem(last=False)
