"""The read path: in process, and over HTTP beside the raw Elasticsearch call of the same query.

The judged catalogue copied to a hundred thousand and a million products (BENCH_COPIES, 5,50), built
once (see `bench.judged_index`). Ours and the raw call take turns, all queries each, so that what
else the machine does falls on both: the ratios are what counts. Over HTTP ours is asked twice:
where every answer is made anew, and as shipped, where what was asked before is remembered.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import orjson

from bench import plain_elasticsearch
from bench.catalogue import ROOT, SHARED
from bench.elasticsearch_at_hand import elasticsearch_at_hand
from bench.figures import Figure, percentiles
from bench.http_load import Client, saturate, steady
from bench.icecat import documents, judgements
from bench.judged_index import BRAND, LANGUAGE, embedded_index, fill
from bench.memory import own_mb, resident_mb
from comptoir.installation import Installation
from comptoir.roles import collect_seldom
from indexer.elasticsearch import ElasticsearchEngine
from indexer.elasticsearch.mapping import FORMAT, vector_field
from indexer.elasticsearch.querying import search_body
from indexer.embedded import EmbeddedEngine
from indexer.engine import SearchRequest, SearchResult
from indexer.positions import Position, begin, echo_live
from kernel.embedding.encoder import Encoder, load_encoder
from kernel.settings import Settings
from search_api.overview import Overviews
from search_api.query import ShopQuery, read_query
from search_api.search import Shop
from search_api.suggest import Suggestions
from tenants.brand import Brand, brand_from, read_brand_file

DATA = SHARED / "data" / "search"
COPIES = tuple(int(part) for part in os.environ.get("BENCH_COPIES", "5,50").split(","))
UNSEEN = 300
"""Queries made of words of titles, asked once each: nothing is remembered for them."""
_TURNS = 4
"""How often each question is asked in each way. The first time is not counted."""
DRAWN = 1_500
"""Questions drawn from all of them, the n-th most frequent 1/n times as often as the first."""
_AT_A_TIME = 100
_ANEW, _AS_SHIPPED = (8391, 8392), (8393, 8394)
"""Ports of the shops, embedded and on Elasticsearch."""
_SETTLED_S = 5.0
"""After it an answer is remembered: words were read, and the cluster has shown what was built."""


def measure() -> Iterator[Figure]:
    """Each size of the catalogue, in process and over HTTP."""
    if not DATA.is_dir():
        yield Figure("search at 100,000 and 1,000,000 products", f"left out: {DATA} is absent")
        return
    encoder = load_encoder()
    brand = brand_from(read_brand_file(ROOT / f"tenants/bundled/{BRAND}.toml")[0])
    yield Figure("a million additions in Python", f"{_yardstick() * 1e3:.0f} ms of processor time")
    for copies in COPIES:
        root = embedded_index(DATA, copies, encoder)
        yield from _in_process(root, brand, encoder, copies)
        yield from _over_http(root, brand, encoder, copies)


def _yardstick() -> float:
    """How fast this processor is just now: other load slows every figure below by as much."""
    took = []
    for _ in range(5):
        started, total = time.process_time(), 0
        for number in range(1_000_000):
            total += number
        took.append(time.process_time() - started)
    return min(took)


def _queries() -> tuple[list[str], list[str]]:
    """The judged ones, and unseen ones of one to four words in a row out of titles."""
    chance = random.Random(11)
    titles = [row.titles["en"].split() for row in documents(DATA)]
    unseen = []
    for words in chance.sample(titles, UNSEEN):
        start = chance.randrange(max(1, len(words) - 2))
        unseen.append(" ".join(words[start : start + chance.randint(1, 4)]))
    return list(judgements(DATA)), unseen


def _in_process(root: Path, brand: Brand, encoder: Encoder, copies: int) -> Iterator[Figure]:
    engine = EmbeddedEngine(root)
    stats = engine.stats(BRAND)
    assert stats is not None
    size = f"{stats.count:,} products, embedded, in process"
    goal = "p95 10 ms" if copies <= 5 else "p95 30 ms"
    shop = Shop(engine, encoder, Overviews(engine))
    shop.snapshots.load(BRAND)
    judged, unseen = _queries()

    def page(text: str) -> None:
        shop.search(read_query([("q", text)], brand.currency), brand, LANGUAGE)

    for text in judged:
        page(text)
    # As a shop's process does before it serves.
    collect_seldom()
    for name, texts in (("unseen queries", unseen), ("judged queries", judged * 3)):
        wall, processor = _timed(page, texts)
        yield Figure(f"{size}: {name}", percentiles(wall), goal)
        yield Figure(f"{size}: {name}, processor time", percentiles(processor))
    suggestions = Suggestions(engine, shop.overviews, lambda *_: ())
    suggestions.load(brand, LANGUAGE)
    chance = random.Random(5)
    typed = [text[: chance.randint(1, 12)] for text in unseen]
    wall, processor = _timed(lambda text: suggestions.of(text, brand, LANGUAGE), typed)
    yield Figure(f"{size}: suggestions", percentiles(wall), "p95 5 ms")
    yield Figure(f"{size}: suggestions, processor time", percentiles(processor))


def _timed(ask: object, texts: Sequence[str]) -> tuple[list[float], list[float]]:
    """Seconds of each question by the clock and of the processor."""
    assert callable(ask)
    wall, processor = [], []
    for text in texts:
        started, used = time.perf_counter(), time.process_time()
        ask(text)
        wall.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    return wall, processor


def _over_http(root: Path, brand: Brand, encoder: Encoder, copies: int) -> Iterator[Figure]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        (folder / "search").symlink_to(root)
        environment = {
            **os.environ,
            "COMPTOIR_DATA": str(folder),
            "BRAND_BY_QUERY": "true",
            "PAYMENT_API_KEY": "none",
            "PAYMENT_WEBHOOK_SECRET": "none",
        }
        for name in ("ELASTICSEARCH_URL", "REDIS_URL", "ANSWER_CACHE_MS"):
            environment.pop(name, None)
        anew = {**environment, "ANSWER_CACHE_MS": "0"}
        subprocess.run(
            [sys.executable, "-m", "comptoir.cli", "brand", "apply",
             str(ROOT / f"tenants/bundled/{BRAND}.toml")],
            env=environment, check=True, capture_output=True,
        )  # fmt: skip
        started = time.perf_counter()
        pid = stack.enter_context(_shop(anew, _ANEW[0]))
        first = time.perf_counter() - started
        yield Figure(f"{copies} copies, embedded: first answer", f"{first:.1f} s", "3 s")
        judged, unseen = _queries()
        url = stack.enter_context(elasticsearch_at_hand())
        if url is not None:
            prefix = f"bench-{copies}-{FORMAT}-"
            yield from _filled(url, prefix, encoder, copies)
            _note_index(folder, url, prefix)
            plain_elasticsearch.fill(url, f"{prefix}plain", documents(DATA, copies))
            there = {"ELASTICSEARCH_URL": url, "ELASTICSEARCH_PREFIX": prefix}
            stack.enter_context(_shop(anew | there, _ANEW[1]))
            shipped = stack.enter_context(_shop(environment, _AS_SHIPPED[0]))
            stack.enter_context(_shop(environment | there, _AS_SHIPPED[1]))
            bodies = _bodies(root, brand, encoder, [*judged, *unseen])
            _settle()
            yield from _drawn(url, prefix, [*judged, *unseen], f"{copies} copies over HTTP")
            for kind, texts in (("judged", judged), ("unseen", unseen)):
                name = f"{copies} copies over HTTP, {kind} queries"
                yield from _paired(url, prefix, bodies, texts, name)
            held = f"{resident_mb(shipped):.0f} MB, {own_mb(shipped):.0f} of them no file's"
            yield Figure(f"{copies} copies, embedded, as shipped: memory", held, "300 MB")
        held = f"{resident_mb(pid):.0f} MB, {own_mb(pid):.0f} of them no file's"
        yield Figure(f"{copies} copies, embedded: memory", held, "300 MB")
        yield from _loaded(copies, [_address(text) for text in [*judged, *unseen]])


def _address(text: str) -> str:
    return "/v1/search?" + urlencode({"q": text, "lang": LANGUAGE})


def _paired(
    url: str, prefix: str, bodies: Mapping[str, _Bodies], texts: Sequence[str], name: str
) -> Iterator[Figure]:
    """Raw calls, embedded, Elasticsearch in turn, all queries each: a shop that is asked finds its
    own data in the processor's caches, as it does where the other two are not run beside it."""
    raw = Client(url)
    embedded, through = _clients(_ANEW)
    kept, kept_through = _clients(_AS_SHIPPED)
    path = f"/{prefix}{BRAND}/_search?include_named_queries_score=true"
    plain = f"/{prefix}plain/_search"
    ways: dict[str, Callable[[str], float]] = {
        _PLAIN: lambda text: _raw(raw, plain, plain_elasticsearch.body(text)),
        _AS_SENT: lambda text: _raw(raw, path, bodies[text].as_sent),
        _WITH_DOCUMENTS: lambda text: _raw(raw, path, bodies[text].with_documents),
        "JSON, embedded": lambda text: embedded.timed(_address(text)),
        "JSON, Elasticsearch": lambda text: through.timed(_address(text)),
        f"JSON, embedded, {_SHIPPED}": lambda text: kept.timed(_address(text)),
        f"JSON, Elasticsearch, {_SHIPPED}": lambda text: kept_through.timed(_address(text)),
        "page, embedded": lambda text: embedded.timed(_address(text).removeprefix("/v1")),
        f"page, embedded, {_SHIPPED}": lambda text: kept.timed(_address(text).removeprefix("/v1")),
    }
    took: dict[str, list[float]] = {what: [] for what in ways}
    for turn in range(_TURNS):
        for what, ask in ways.items():
            seconds = [ask(text) for text in texts]
            if turn:
                took[what] += seconds
    goals = {f"{what}{how}": goal for what, goal in _GOALS.items() for how in ("", f", {_SHIPPED}")}
    middle = {what: statistics.median(values) for what, values in took.items()}
    for what, values in took.items():
        yield Figure(f"{name}: {what}", percentiles(values))
    for what, goal in goals.items():
        parts = ", ".join(
            f"{middle[what] / middle[each]:.2f}" for each in (_PLAIN, _AS_SENT, _WITH_DOCUMENTS)
        )
        yield Figure(f"{name}: {what}, p50 in parts of the three raw calls", parts, goal)


def _settle() -> None:
    """Ask the shops until what they remember counts as sure."""
    until = time.monotonic() + _SETTLED_S
    while time.monotonic() < until:
        for client in _clients(_AS_SHIPPED):
            client.ask(_address("usb"))
        time.sleep(0.2)


def _drawn(url: str, prefix: str, texts: Sequence[str], name: str) -> Iterator[Figure]:
    """As shipped, questions as people ask them: few of them often, most of them hardly ever."""
    chance = random.Random(17)
    ranked = chance.sample(texts, len(texts))
    weights = [1 / rank for rank in range(1, len(ranked) + 1)]
    drawn = chance.choices(ranked, weights, k=DRAWN)
    raw, (embedded, through) = Client(url), _clients(_AS_SHIPPED)
    plain = f"/{prefix}plain/_search"
    ways: dict[str, Callable[[str], float]] = {
        _PLAIN: lambda text: _raw(raw, plain, plain_elasticsearch.body(text)),
        f"JSON, embedded, {_SHIPPED}": lambda text: embedded.timed(_address(text)),
        f"JSON, Elasticsearch, {_SHIPPED}": lambda text: through.timed(_address(text)),
    }
    times = f"{DRAWN:,} drawn by Zipf's law, {len(set(drawn))} of them for the first time"
    took: dict[str, list[float]] = {what: [] for what in ways}
    for start in range(0, DRAWN, _AT_A_TIME):
        for what, ask in ways.items():
            took[what] += [ask(text) for text in drawn[start : start + _AT_A_TIME]]
    middle = {what: statistics.median(values) for what, values in took.items()}
    for what, values in took.items():
        yield Figure(f"{name}, {times}: {what}", percentiles(values))
    for what, goal in _GOALS.items():
        ratio = f"{middle[f'{what}, {_SHIPPED}'] / middle[_PLAIN]:.2f}"
        yield Figure(f"{name}, drawn: {what}, {_SHIPPED}, p50 in parts of the raw", ratio, goal)


def _clients(ports: Sequence[int]) -> list[Client]:
    return [Client(f"http://127.0.0.1:{port}") for port in ports]


def _raw(client: Client, path: str, body: bytes) -> float:
    started = time.perf_counter()
    orjson.loads(client.ask(path, body))
    return time.perf_counter() - started


_PLAIN = "raw call, a plain index"
_SHIPPED = "as shipped"
_GOALS = {"JSON, embedded": "0.5, aiming at 0.33", "JSON, Elasticsearch": "1.3"}
_AS_SENT = "raw call, columns of the hits as we ask for them"
_WITH_DOCUMENTS = "raw call, documents of a page's products"


@dataclass(frozen=True, slots=True)
class _Bodies:
    """One query for Elasticsearch: the request that we send, which brings no documents, and the
    same with those that a page shows, as whoever shows one without us would ask."""

    as_sent: bytes
    with_documents: bytes


class _Recording(EmbeddedEngine):
    """Keeps the request that made a page."""

    last: SearchRequest | None = None

    def search(self, brand_id: str, request: SearchRequest) -> SearchResult:
        """As ever."""
        if request.words is not None and request.facets:
            self.last = request
        return super().search(brand_id, request)


def _bodies(root: Path, brand: Brand, encoder: Encoder, texts: Sequence[str]) -> dict[str, _Bodies]:
    """For each query what is sent to Elasticsearch for its page."""
    engine = _Recording(root)
    shop = Shop(engine, encoder, Overviews(engine))
    shop.snapshots.load(BRAND)
    bodies = {}
    for text in texts:
        engine.last = None
        query = ShopQuery(brand.currency, text=text)
        shop.search(query, brand, LANGUAGE)
        request = engine.last or SearchRequest()
        body = search_body(request, vector_field(encoder.model_id))
        page = {**body, "size": query.per_page, "_source": ["document"]}
        page.pop("stored_fields")
        bodies[text] = _Bodies(orjson.dumps(body), orjson.dumps(page))
    return bodies


def _filled(url: str, prefix: str, encoder: Encoder, copies: int) -> Iterator[Figure]:
    """The same catalogue on the server, built once."""
    engine = ElasticsearchEngine(url, prefix=prefix)
    try:
        if engine.stats(BRAND) is None:
            count, seconds = fill(engine, DATA, copies, encoder)
            per_second = f"{count / seconds:,.0f} products a second, vectors included"
            yield Figure(f"{copies} copies: index built on Elasticsearch", per_second)
    finally:
        engine.close()


def _note_index(data: Path, url: str, prefix: str) -> None:
    """Say in the shops' database which index is live, as whoever builds one there does."""
    engine = ElasticsearchEngine(url, prefix=prefix)
    stats = engine.stats(BRAND)
    engine.close()
    assert stats is not None
    database = Installation(Settings(comptoir_data=data)).database
    with database.platform() as tx:
        begin(tx, BRAND, Position(stats.index, 0, 1))
        echo_live(tx, BRAND, stats.index)
    database.close()


def _loaded(copies: int, paths: Sequence[str]) -> Iterator[Figure]:
    most = saturate(_ANEW[0], paths, connections=8, seconds=10)
    rate = most.answers / most.seconds
    yield Figure(f"{copies} copies, embedded: answers a second at saturation", f"{rate:.0f}")
    half = steady(_ANEW[0], paths, rate=rate / 2, seconds=10)
    said = f"{percentiles(half.took)}, {half.failed + most.failed} failed"
    yield Figure(f"{copies} copies, embedded: at half of that", said)


@contextmanager
def _shop(environment: Mapping[str, str], port: int) -> Iterator[int]:
    """A shop process, from its start to its first answer."""
    process = subprocess.Popen(
        [sys.executable, "-m", "comptoir.cli", "serve", "--role", "shop"],
        env={**environment, "SHOP_PORT": str(port)},
    )
    try:
        until = time.monotonic() + 60
        while True:
            try:
                Client(f"http://127.0.0.1:{port}").ask(_address("usb"))
                break
            except (OSError, RuntimeError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)
