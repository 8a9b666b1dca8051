"""What an index keeps of an offer, so that its candidates need nothing of the database: its title
is read once, when it is placed. Pure.
"""

from __future__ import annotations

from zlib import crc32

import msgspec

from mdm.match.decision import Contender
from mdm.match.features import Features
from mdm.match.rarity import numbered
from mdm.match.reading import Reading


class KeptReading(msgspec.Struct, frozen=True, eq=False, array_like=True, gc=False):
    """An offer as the matcher compares it, but for its product, which may be another one by now.
    `pieces` are those of its features as they are weighed again (`mdm.match.rarity.numbered`),
    `vector` holds half floats."""

    features: Features
    pieces: bytes
    merchant_id: str
    condition: str
    vector: bytes


_NAMES = (*KeptReading.__struct_fields__, *Features.__struct_fields__, *Reading.__struct_fields__)
SHAPE = f"{crc32(' '.join(_NAMES).encode()):08x}"
"""Changes with what is kept: what has another shape cannot be unpacked."""
_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(KeptReading)


def packed(offer: Contender, vector: bytes) -> bytes:
    """An offer as an index keeps it."""
    pieces = numbered(offer.features.pieces)
    kept = KeptReading(offer.features, pieces, offer.merchant_id, offer.condition, vector)
    return _PACK.encode(kept)


def unpacked(data: bytes) -> KeptReading:
    """What was `packed`, by the same release: a fifth of the time of reading a title again."""
    return _UNPACK.decode(data)
