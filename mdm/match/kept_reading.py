"""What an index keeps of an offer, so that a title is read once: when the offer is placed. Pure."""

from __future__ import annotations

from zlib import crc32

import msgspec

from mdm.match.features import Features
from mdm.match.rarity import numbered
from mdm.match.reading import Reading


class KeptReading(msgspec.Struct, frozen=True, eq=False, array_like=True, gc=False):
    """Features, and their pieces as they are weighed again (`mdm.match.rarity.numbered`)."""

    features: Features
    pieces: bytes


_NAMES = (*KeptReading.__struct_fields__, *Features.__struct_fields__, *Reading.__struct_fields__)
SHAPE = f"{crc32(' '.join(_NAMES).encode()):08x}"
"""Changes with what is kept: what has another shape cannot be unpacked."""
_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(KeptReading)


def packed(features: Features) -> bytes:
    """Features as an index keeps them."""
    return _PACK.encode(KeptReading(features, numbered(features.pieces)))


def unpacked(data: bytes) -> KeptReading:
    """What was `packed`, by the same release: a fifth of the time of reading a title again."""
    return _UNPACK.decode(data)
