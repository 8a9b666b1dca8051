"""The JSON-LD of one page as a bounded set of schema.org nodes: products and what they refer to.

In: HTML of a stranger. Out: `PageGraph` or refusals. Only `@graph`, `mainEntity` and `hasVariant`
are followed, so that recommendations for other products never become offers of this page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import lxml.etree
import lxml.html
from extruct.jsonld import JsonLdExtractor

from mdm.raw_offer import Refusal

Node = Mapping[str, Any]

PRODUCT_TYPES = frozenset({"Product", "IndividualProduct", "ProductModel"})
_FOLLOWED = ("@graph", "mainEntity", "hasVariant")
_SCHEMA = ("https://schema.org/", "http://schema.org/", "schema:")


@dataclass(frozen=True, slots=True)
class PageLimits:
    """Bounds of one page. `depth` counts nested objects and arrays."""

    html_chars: int = 4_000_000
    scripts: int = 50
    script_chars: int = 1_000_000
    nodes: int = 5_000
    depth: int = 60


@dataclass(slots=True)
class PageGraph:
    """Products of a page with the group each belongs to; nodes by `@id`; what could not be read."""

    language: str | None = None
    products: list[tuple[Node, Node | None]] = field(default_factory=list)
    by_id: dict[str, Node] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    scripts: int = 0

    def resolved(self, value: Any) -> Any:
        """The node that `{"@id": …}` points at; anything else as it is."""
        if isinstance(value, Mapping) and set(value) == {"@id"}:
            return self.by_id.get(str(value["@id"]), value)
        return value


def short_name(value: Any) -> str:
    """A schema.org term without its address: `https://schema.org/InStock` is `InStock`."""
    text = str(value).strip() if isinstance(value, str) else ""
    for prefix in _SCHEMA:
        text = text.removeprefix(prefix)
    return text


def types_of(node: Node) -> set[str]:
    """The types of a node, by short name."""
    return {short_name(each) for each in as_list(node.get("@type"))}


def as_list(value: Any) -> list[Any]:
    """schema.org allows one or many everywhere."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def read_graph(html: str, limits: PageLimits) -> PageGraph:
    """Every product node of the page, found without recursion."""
    graph = PageGraph()
    if len(html) > limits.html_chars:
        graph.refusals.append(_refusal("page_too_large", "the page is too large to be read"))
        return graph
    try:
        parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=False)
        tree = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except (lxml.etree.LxmlError, ValueError):
        graph.refusals.append(_refusal("page_malformed", "the page is no HTML"))
        return graph
    graph.language = tree.get("lang")
    items = [item for script in _scripts(tree, limits, graph) for item in script]
    _collect(items, limits, graph)
    return graph


def _refusal(code: str, reason: str, excerpt: str = "") -> Refusal:
    return Refusal(code, reason, excerpt=excerpt)


def _scripts(
    tree: lxml.html.HtmlElement, limits: PageLimits, graph: PageGraph
) -> Iterator[list[Any]]:
    room = limits.script_chars
    for script in tree.iter("script"):
        kind = (script.get("type") or "").split(";")[0].strip().lower()
        if kind != "application/ld+json":
            continue
        graph.scripts += 1
        text = script.text_content()
        room -= len(text)
        if graph.scripts > limits.scripts or room < 0:
            reason = "the page carries more JSON-LD than is read"
            graph.refusals.append(_refusal("markup_too_large", reason))
            return
        yield _items(script, text, limits, graph)


def _items(
    script: lxml.html.HtmlElement, text: str, limits: PageLimits, graph: PageGraph
) -> list[Any]:
    """One script block on its own, so that a broken one costs nothing but itself."""
    if _depth(text) > limits.depth:
        graph.refusals.append(_refusal("markup_too_deep", "the JSON-LD is nested too deeply"))
        return []
    script.set("type", "application/ld+json")
    try:
        return list(JsonLdExtractor().extract_items(script))
    except (ValueError, RecursionError, IndexError) as error:
        # IndexError: the comment stripper of extruct runs off the front of `]`.
        reason = f"the JSON-LD cannot be read: {error}"[:300]
        graph.refusals.append(_refusal("markup_malformed", reason, _printable(text)))
        return []


def _printable(text: str) -> str:
    return "".join(sign for sign in text.strip()[:120] if sign.isprintable())


def _depth(text: str) -> int:
    """An upper bound of the nesting; brackets inside strings may overstate it."""
    depth = deepest = 0
    for sign in text:
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


def _collect(items: list[Any], limits: PageLimits, graph: PageGraph) -> None:
    waiting: list[tuple[Any, Node | None]] = [(item, None) for item in reversed(items)]
    seen = 0
    while waiting:
        value, group = waiting.pop()
        if isinstance(value, list):
            waiting.extend((item, group) for item in reversed(value))
            continue
        if not isinstance(value, Mapping):
            continue
        seen += 1
        if seen > limits.nodes:
            graph.refusals.append(_refusal("markup_too_large", "the JSON-LD has too many nodes"))
            return
        waiting.extend(reversed(_entered(value, group, graph)))


def _entered(node: Node, group: Node | None, graph: PageGraph) -> list[tuple[Any, Node | None]]:
    """Note the node; return what it leads to."""
    if isinstance(node.get("@id"), str) and len(node) > 1:
        graph.by_id.setdefault(node["@id"], node)
    types = types_of(node)
    is_group = "ProductGroup" in types
    # A group with variants is sold only through them; a variant may be a mere reference.
    is_sold = types & (PRODUCT_TYPES | {"ProductGroup"}) and "hasVariant" not in node
    if is_sold or (group is not None and set(node) == {"@id"}):
        graph.products.append((node, group))
    inner = node if is_group else group
    return [(node[key], inner) for key in _FOLLOWED if key in node]
