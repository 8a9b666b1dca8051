"""Landing of files and addresses: whole feeds, broken ones, killed runs, unchanged sources."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import sqlalchemy as sa

from crawlers.ingest import crawl_source, ingest_file, ingest_source
from crawlers.merchant_file import merchant_of
from kernel.db import Database
from kernel.errors import DomainError, NotFound
from mdm.merchants import Merchant, read_merchant
from mdm.quarantine import list_quarantine
from tests.conftest import fresh_database

ROOT = Path(__file__).resolve().parents[2]
HEAD = '<rss xmlns:g="http://base.google.com/ns/1.0"><channel>'


def _item(number: int, price: str = "10.00 EUR") -> str:
    return (
        f"<item><g:id>S{number}</g:id><g:title>Lamp {number}</g:title>"
        f"<g:link>https://shop.example/{number}</g:link><g:price>{price}</g:price></item>"
    )


def _feed(numbers: range, tail: str = "</channel></rss>") -> str:
    return HEAD + "".join(map(_item, numbers)) + tail


def _live(database: Database, merchant_id: str) -> set[str]:
    with database.platform() as tx:
        rows = tx.execute(
            sa.text("SELECT sku FROM mdm.raw_offer WHERE source_id = :id AND state = 'live'"),
            {"id": merchant_id},
        )
        return set(rows.scalars())


def test_a_second_load_changes_nothing_and_a_shorter_feed_withdraws(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(_feed(range(20)))
    told: list[int] = []
    first = ingest_file(database, path, "Shop One", progress=told.append)
    assert (first.landed, first.unchanged, first.refused) == (20, 0, 0)
    assert (str(first), told) == ("20 landed, 0 unchanged, 0 refused", [20])
    assert first.format == "google"
    again = ingest_file(database, path, "shop-one")
    assert (again.landed, again.unchanged, again.withdrawn) == (0, 20, 0)
    path.write_text(_feed(range(17)))
    shorter = ingest_file(database, path, "shop-one")
    assert (shorter.withdrawn, shorter.parked) == (3, None)
    assert len(_live(database, "shop-one")) == 17


def test_an_unknown_merchant_gets_the_country_and_currency_of_its_feed(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(_feed(range(3)).replace("shop.example", "obchod.sk").replace(" EUR", ""))
    assert ingest_file(database, path, "obchod").landed == 3
    with database.platform() as tx:
        merchant = read_merchant(tx, "obchod")
    assert (merchant.country, merchant.currency, merchant.website) == (
        "SK", "EUR", "https://obchod.sk",
    )  # fmt: skip


def test_a_truncated_feed_keeps_what_was_complete_and_withdraws_nothing(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(_feed(range(20)))
    ingest_file(database, path, "cut")
    path.write_text(_feed(range(12, 26), tail="<item><g:id>S99</g:id>"))
    report = ingest_file(database, path, "cut")
    assert not report.is_complete
    assert (report.landed, report.unchanged, report.withdrawn) == (6, 8, 0)
    assert dict(report.reasons) == {"feed_truncated": 1}
    assert _live(database, "cut") == {f"S{number}" for number in range(26)}
    with database.platform() as tx:
        assert [row.code for row in list_quarantine(tx, "cut")] == ["feed_truncated"]
        states = tx.execute(
            sa.text("SELECT state FROM mdm.intake_run WHERE merchant_id = 'cut' ORDER BY run_id")
        )
        assert list(states.scalars()) == ["closed", "discarded", "closed"]


def test_a_feed_that_lost_most_of_its_offers_is_parked(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(_feed(range(20)))
    ingest_file(database, path, "emptied")
    path.write_text(_feed(range(5)))
    report = ingest_file(database, path, "emptied")
    assert report.parked is not None
    assert len(_live(database, "emptied")) == 20
    path.write_text(HEAD + "</channel></rss>")
    assert dict(ingest_file(database, path, "emptied").reasons) == {"feed_empty": 1}
    assert len(_live(database, "emptied")) == 20


def test_a_file_in_no_known_format_is_refused_with_a_reason(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear sir,\n\nplease find our offers below.\n")
    report = ingest_file(database, path, "writer")
    assert (report.landed, dict(report.reasons)) == (0, {"feed_unknown_format": 1})
    again = ingest_file(database, path.rename(tmp_path / "another.txt"), "writer")
    with database.platform() as tx:
        listed = list_quarantine(
            tx, "writer", last_run=again.run_id, codes=["feed_unknown_format", "feed_empty"]
        )
        assert list_quarantine(tx, "writer", last_run=again.run_id, codes=["feed_empty"]) == []
    assert [row.reason for row in listed] == ["another.txt is in no format that is known here"]
    with pytest.raises(NotFound):
        ingest_file(database, tmp_path / "absent.xml", "writer")


def test_a_process_killed_in_the_middle_lands_the_rest_and_nothing_twice(
    postgres_url: str, tmp_path: Path
) -> None:
    url = fresh_database(postgres_url)
    path = tmp_path / "feed.xml"
    path.write_text(_feed(range(5_000)))
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from crawlers.ingest import ingest_file
        from kernel.db import Database

        def progress(count):
            if count >= 2000:
                os.kill(os.getpid(), signal.SIGKILL)

        ingest_file(Database(sys.argv[1]), Path(sys.argv[2]), "killed", progress=progress)
        """
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, url, str(path)], cwd=ROOT, check=False, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL
    database = Database(url)
    try:
        assert _live(database, "killed") == set()
        report = ingest_file(database, path, "killed")
        assert (report.landed, report.unchanged, report.refused) == (5_000, 0, 0)
        assert len(_live(database, "killed")) == 5_000
        again = ingest_file(database, path, "killed")
        assert (again.landed, again.unchanged) == (0, 5_000)
    finally:
        database.close()


class _Source(BaseHTTPRequestHandler):
    """Serves one feed with validators, and counts the bodies it sent."""

    def do_GET(self) -> None:
        server = self.server
        if self.path != "/feed.xml":
            self.send_error(404)
            return
        tag = f'"{hash(server.feed)}"'  # type: ignore[attr-defined]
        is_known = server.has_tags and self.headers["If-None-Match"] == tag  # type: ignore[attr-defined]
        self.send_response(304 if is_known else 200)
        if server.has_tags:  # type: ignore[attr-defined]
            self.send_header("ETag", tag)
        self.end_headers()
        if not is_known:
            server.bodies += 1  # type: ignore[attr-defined]
            self.wfile.write(server.feed)  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        pass


class _Shop(ThreadingHTTPServer):
    feed = b""
    bodies = 0
    has_tags = True


@pytest.fixture
def shop() -> Iterator[_Shop]:
    server = _Shop(("127.0.0.1", 0), _Source)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _merchant(identity: str, **source: object) -> Merchant:
    return merchant_of(
        {
            "id": identity, "name": identity, "country": "FR", "languages": ["fr"],
            "source": {"format": "google", "path": "/feed.xml", **source},
        },
        "test",
    )  # fmt: skip


@pytest.mark.parametrize("has_tags", [True, False])
def test_a_source_is_fetched_and_landed_once_for_each_change(
    database: Database, shop: _Shop, tmp_path: Path, has_tags: bool
) -> None:
    shop.feed, shop.has_tags = _feed(range(12)).encode(), has_tags
    host = f"127.0.0.1:{shop.server_port}"
    merchant = _merchant(f"fetched-{has_tags}".lower())

    def run() -> tuple[int, int, str | None]:
        report = ingest_source(
            database, merchant, folder=tmp_path, base_url=f"http://{host}",
            allow_hosts=frozenset({host}),
        )  # fmt: skip
        return report.landed, report.unchanged, report.format

    assert run() == (12, 0, "google")
    assert run() == (0, 0, None)
    assert shop.bodies == (1 if has_tags else 2)
    shop.feed = _feed(range(13)).encode()
    assert run() == (1, 12, "google")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_download_is_tried_again_in_full(
    database: Database, shop: _Shop, tmp_path: Path
) -> None:
    host = f"127.0.0.1:{shop.server_port}"
    merchant = _merchant("broken-download")
    shop.feed = _feed(range(12), tail="<item>").encode()
    for _ in range(2):
        report = ingest_source(
            database, merchant, folder=tmp_path, base_url=f"http://{host}",
            allow_hosts=frozenset({host}),
        )  # fmt: skip
        assert dict(report.reasons) == {"feed_truncated": 1}
    with pytest.raises(DomainError) as refused:
        ingest_source(database, merchant, folder=tmp_path, base_url=f"http://{host}")
    assert refused.value.code == "address_refused"
    gone = _merchant("broken-download", path="/other.xml")
    with pytest.raises(DomainError) as unavailable:
        ingest_source(
            database, gone, folder=tmp_path, base_url=f"http://{host}",
            allow_hosts=frozenset({host}),
        )  # fmt: skip
    assert unavailable.value.code == "feed_unavailable"


def test_a_crawl_that_cannot_read_the_shop_withdraws_nothing(
    database: Database, shop: _Shop, tmp_path: Path
) -> None:
    host = f"127.0.0.1:{shop.server_port}"
    merchant = _merchant("crawled", format="json_ld", path="/sitemap.xml", delay_s=0)
    before = time.monotonic()
    report = crawl_source(
        database, merchant, folder=tmp_path, base_url=f"http://{host}",
        allow_hosts=frozenset({host}),
    )  # fmt: skip
    assert not report.is_complete
    assert report.refused >= 1
    assert all(code.startswith("feed_") for code in report.reasons)
    assert time.monotonic() - before < 60
    refused = crawl_source(database, merchant, folder=tmp_path, base_url=f"http://{host}")
    assert "feed_crawl_failed" in refused.reasons
    assert os.listdir(tmp_path) == []
