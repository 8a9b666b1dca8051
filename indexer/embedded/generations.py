"""Folders of the embedded indices: one per version, and which one is live for each brand.

`<root>/<index>/` holds `lexical/`, `vectors.bin` and `manifest.json`; `<root>/<brand>.live`
names the live index and is replaced in one step, so a reader sees the old one or the new one.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from kernel.errors import DomainError

FORMAT = 13
"""Raised when the stored fields or their analysis change: older indices ask to be rebuilt."""

_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,80}$")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an index holds: its brand, format and whose vectors."""

    brand_id: str
    model_id: str
    dimensions: int
    format: int = FORMAT


def damaged(index: str, reason: object) -> DomainError:
    """The refusal for an index that cannot be read."""
    return DomainError(
        "index_damaged",
        f"The search index {index} cannot be read: {reason}",
        hint="Build it again from the catalogue: comptoir index rebuild",
        status=503,
    )


def full(index: str, root: Path, free: int) -> DomainError:
    """The refusal where the disk has no room for what is written."""
    return DomainError(
        "disk_full",
        f"The search index {index} cannot be written: {root} has {free // 1024:,} KiB left.",
        hint="Make room there; the index then goes on from where it is.",
        status=503,
    )


def missing(brand_id: str) -> DomainError:
    """The refusal for a brand without an index."""
    return DomainError(
        "index_missing",
        f"The brand {brand_id} has no search index yet.",
        hint="Build it from the catalogue: comptoir index rebuild",
        status=503,
    )


class Generations:
    """The folders below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._live_files = f"{root}{os.sep}"
        self._seen_live: dict[str, tuple[tuple[int, int], str | None]] = {}

    def folder(self, index: str) -> Path:
        """Folder of an index; ValueError for a name that is none."""
        if not _NAME.match(index):
            raise ValueError(f"{index!r} is no index name")
        return self.root / index

    def new(self, manifest: Manifest) -> str:
        """Make the folder of a new index; its name sorts by time."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        index = f"{manifest.brand_id}-{stamp}-{secrets.token_hex(3)}"
        folder = self.folder(index)
        (folder / "lexical").mkdir(parents=True)
        _replace(folder / "manifest.json", json.dumps(asdict(manifest)))
        return index

    def manifest(self, index: str) -> Manifest:
        """The manifest. Raises DomainError `index_damaged` for none, or one of another format."""
        try:
            text = (self.folder(index) / "manifest.json").read_text("utf-8")
            manifest = Manifest(**json.loads(text))
        except (OSError, ValueError, TypeError) as error:
            raise damaged(index, error) from error
        if manifest.format != FORMAT:
            raise damaged(index, f"it has format {manifest.format}, this release reads {FORMAT}")
        return manifest

    def live(self, brand_id: str) -> str | None:
        """Name of the live index, or None. Every search asks: the file is read when it changed."""
        file = f"{self._live_files}{brand_id}.live"
        try:
            status = os.stat(file)
            stamp = (status.st_ino, status.st_mtime_ns)
            seen = self._seen_live.get(brand_id)
            if seen is None or seen[0] != stamp:
                seen = stamp, Path(file).read_text("utf-8").strip() or None
                self._seen_live[brand_id] = seen
        except FileNotFoundError:
            return None
        return seen[1]

    def publish(self, brand_id: str, index: str) -> str | None:
        """Switch the brand to the index; answers the one before."""
        if self.manifest(index).brand_id != brand_id:
            raise ValueError(f"{index} is not an index of {brand_id}")
        before = self.live(brand_id)
        if before == index:
            return None
        if before is not None:
            _replace(self.root / f"{brand_id}.previous", before)
        _replace(self.root / f"{brand_id}.live", index)
        return before

    def previous(self, brand_id: str) -> str | None:
        """The index that was live before, where it is still there."""
        try:
            index = (self.root / f"{brand_id}.previous").read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        is_kept = index != self.live(brand_id) and (self.folder(index) / "manifest.json").exists()
        return index if is_kept else None

    def of(self, brand_id: str) -> list[tuple[str, datetime]]:
        """Every index of the brand, readable or not, and when it was begun; oldest first."""
        found = []
        for folder in self.root.iterdir():
            brand, stamp = _brand_of(folder)
            if brand == brand_id and stamp is not None:
                found.append((folder.name, stamp))
        return sorted(found, key=lambda row: (row[1], row[0]))

    def drop(self, brand_id: str, index: str) -> None:
        """Remove the folder of an index that is not live."""
        if self.live(brand_id) == index:
            raise ValueError(f"{index} is the live index of {brand_id}")
        shutil.rmtree(self.folder(index), ignore_errors=True)


def _brand_of(folder: Path) -> tuple[str, datetime | None]:
    """Brand and time in a folder's name; no time where it is no index."""
    brand, _, rest = folder.name.rpartition("-")
    brand, _, time_of_day = brand.rpartition("-")
    brand, _, day = brand.rpartition("-")
    try:
        stamp = datetime.strptime(f"{day}{time_of_day}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return brand, None
    return brand, stamp if rest and folder.is_dir() else None


def _replace(path: Path, text: str) -> None:
    """Write a file so that a crash leaves the old one or the new one, whole."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
