"""Files that mean harm, written to a folder: one function for each kind of attack."""

from __future__ import annotations

import gzip
import random
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

MIB = 1024 * 1024
ROOTS = {
    "google": (
        '<rss xmlns:g="http://base.google.com/ns/1.0"><channel>',
        "item",
        "</channel></rss>",
    ),
    "heureka": ("<SHOP>", "SHOPITEM", "</SHOP>"),
    "bmecat": ("<BMECAT><T_NEW_CATALOG>", "ARTICLE", "</T_NEW_CATALOG></BMECAT>"),
}
Write = Callable[[Path], None]


def _text(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def _xml(folder: Path, prolog: str, inside: str) -> None:
    for name, (head, record, tail) in ROOTS.items():
        root = head[1:].split(" ")[0].split(">")[0]
        text = f"{prolog.replace('ROOT', root)}{head}<{record}>{inside}</{record}>{tail}"
        _text(folder / f"{name}.xml", text)


def entity_bomb(folder: Path) -> None:
    """A billion laughs."""
    layers = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    prolog = f'<?xml version="1.0"?><!DOCTYPE ROOT [<!ENTITY l0 "ha">{layers}]>'
    _xml(folder, prolog, "<ITEM_ID>1</ITEM_ID><title>&l9;</title><PRODUCTNAME>&l9;</PRODUCTNAME>")


def entity_bomb_in_attributes(folder: Path) -> None:
    """The same, expanded by a default attribute value of the DTD."""
    layers = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    lists = "".join(f'<!ATTLIST {row[1]} x CDATA "&l9;">' for row in ROOTS.values())
    _xml(folder, f'<!DOCTYPE ROOT [<!ENTITY l0 "ha">{layers}{lists}]>', "<g>1</g>")


def quadratic_entity(folder: Path) -> None:
    """One long entity, many times."""
    prolog = f'<!DOCTYPE ROOT [<!ENTITY a "{"a" * 100_000}">]>'
    _xml(folder, prolog, f"<title>{'&a;' * 20_000}</title>")


def external_entity(folder: Path) -> None:
    """A local file as an entity, and as a parameter entity."""
    secret = folder / "secret.txt"
    _text(secret, "TOP-SECRET-CANARY")
    inside = (
        "<id>1</id><title>&s;</title><ITEM_ID>1</ITEM_ID><PRODUCTNAME>&s;</PRODUCTNAME>"
        "<price>1 EUR</price><PRICE_VAT>1</PRICE_VAT>"
    )
    _xml(folder, f'<!DOCTYPE ROOT [<!ENTITY s SYSTEM "{secret.as_uri()}">]>', inside)
    for path in list(folder.glob("*.xml")):
        path.rename(path.with_stem(f"{path.stem}_entity"))
    _xml(folder, f'<!DOCTYPE ROOT [<!ENTITY % p SYSTEM "{secret.as_uri()}"> %p;]>', inside)
    for name, (head, record, tail) in ROOTS.items():
        include = (
            f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{secret.as_uri()}"/>'
        )
        _text(folder / f"{name}_include.xml", f"{head}<{record}>{include}</{record}>{tail}")


def endless_dtd(folder: Path) -> None:
    """Declarations without end."""
    declarations = "".join(f'<!ENTITY e{n} "{"v" * 50}">' for n in range(200_000))
    _xml(folder, f"<!DOCTYPE ROOT [{declarations}]>", "<title>x</title>")


def gzip_of_zeros(folder: Path) -> None:
    """Ten gigabytes of zeros, and of blanks inside a feed."""
    zeros = gzip.compress(b"\0" * (64 * MIB))
    with (folder / "zeros.gz").open("wb") as file:
        for _ in range(160):
            file.write(zeros)
    blanks = gzip.compress(b" " * (64 * MIB))
    with (folder / "feed.xml.gz").open("wb") as file:
        file.write(gzip.compress(ROOTS["google"][0].encode()))
        for _ in range(160):
            file.write(blanks)


def zip_tricks(folder: Path) -> None:
    """A zip of zeros, one of two files, one of none, and a directory of many entries."""
    with zipfile.ZipFile(folder / "zeros.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../feed.xml", b"\0" * (64 * MIB))
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        archive.writestr("a.xml", "<rss/>")
        archive.writestr("b.xml", "<rss/>")
    with zipfile.ZipFile(folder / "none.zip", "w") as archive:
        archive.writestr("folder/", "")
    with zipfile.ZipFile(folder / "many.zip", "w") as archive:
        for number in range(3_000):
            archive.writestr(f"{number}{'x' * 200}", "")
    with zipfile.ZipFile(folder / "lzma.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("feed.xml", b"\0" * (64 * MIB))
    whole = (folder / "two.zip").read_bytes()
    (folder / "cut.zip").write_bytes(whole[: len(whole) // 2])


def gzip_damaged(folder: Path) -> None:
    """A gzip that ends in the middle, and one whose data is wrong."""
    body = (ROOTS["heureka"][0] + _heureka_items(2_000) + ROOTS["heureka"][2]).encode()
    whole = gzip.compress(body)
    (folder / "cut.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "wrong.gz").write_bytes(whole[:500] + bytes(100) + whole[600:])
    (folder / "bare.gz").write_bytes(b"\x1f\x8b")


def _heureka_items(count: int) -> str:
    return "".join(
        f"<SHOPITEM><ITEM_ID>{n}</ITEM_ID><PRODUCTNAME>Lamp {zlib.crc32(str(n).encode())}"
        "</PRODUCTNAME><PRICE_VAT>10</PRICE_VAT></SHOPITEM>"
        for n in range(count)
    )


def deep(folder: Path) -> None:
    """Nesting without end."""
    _xml(folder, "", "<a>" * 200_000)
    (folder / "arrays.json").write_bytes(b'{"products":' + b"[" * 2_000_000)
    (folder / "maps.json").write_bytes(b'{"products":[' + b'{"a":' * 500_000)
    (folder / "line.jsonl").write_bytes(b'{"sku":"1","title":' + b"[" * 100_000)


def huge_fields(folder: Path) -> None:
    """One value of 24 MiB, in each notation."""
    huge = "x" * (24 * MIB)
    _xml(folder, "", f"<title>{huge}</title>")
    _text(folder / "attribute.xml", f'{ROOTS["google"][0]}<item a="{huge}"></item>')
    _text(folder / "one_line.csv", f"id,title,price\n1,{huge},1 EUR\n2,Lamp,2 EUR\n")
    _text(folder / "quoted.csv", f'id,title,price\n1,"{huge}",1 EUR\n2,Lamp,2 EUR\n')
    _text(folder / "header.csv", f"id,title,price,{huge}\n1,Lamp,1 EUR\n")
    _text(folder / "value.json", f'{{"products":[{{"id":"1","title":"{huge}","variants":[]}}]}}')
    _text(folder / "value.jsonl", f'{{"id":"1","variants":[],"title":"{huge}"}}\n')


def wide(folder: Path) -> None:
    """A million columns, children, attributes, values, variants; names that never repeat."""
    columns = ",".join(f"c{n}" for n in range(1_000_000))
    _text(folder / "columns.csv", f"id,title,price,{columns}\n1,a,1 EUR\n")
    columns = ",".join(f"c{n}" for n in range(20_000))
    _text(folder / "many_columns.csv", f"id,title,price,{columns}\n1,a,1 EUR\n")
    _text(folder / "cells.csv", f"id,title,price\n1,{',' * 200_000}\n2,Lamp,1 EUR\n")
    _xml(folder, "", "<a/>" * 2_000_000)
    names = "".join(f"<n{n}/>" for n in range(1_000_000))
    _text(folder / "names.xml", f"{ROOTS['google'][0]}<item>{names}</item>")
    outside = "".join(f"<n{n}/>" for n in range(1_000_000))
    _text(folder / "outside.xml", f"{ROOTS['google'][0]}{outside}<item/></channel></rss>")
    attributes = " ".join(f'a{n}="1"' for n in range(300_000))
    _text(folder / "attributes.xml", f"{ROOTS['google'][0]}<item {attributes}></item>")
    values = ",".join(f'"k{n}":{n}' for n in range(1_000_000))
    _text(folder / "values.json", f'{{"products":[{{{values}}}]}}')
    variants = ",".join('{"id":"1","title":"t"}' for _ in range(500_000))
    _text(folder / "variants.json", f'{{"products":[{{"id":"1","variants":[{variants}]}}]}}')


def stray_quotes(folder: Path) -> None:
    """A quote at the start of every line: each looks far ahead for its end."""
    rows = "".join(f'{n},"Lamp {n},1 EUR\n' for n in range(20_000))
    _text(folder / "every.csv", f"id,title,price\n{rows}")
    _text(folder / "never.csv", f'id,title,price\n1,"{chr(10) * 300_000}')


def rubbish(folder: Path) -> None:
    """Bytes that are no feed, or the wrong encoding of one."""
    noise = random.Random(3)
    (folder / "noise").write_bytes(noise.randbytes(300_000))
    (folder / "empty").write_bytes(b"")
    (folder / "bom").write_bytes(b"\xef\xbb\xbf")
    (folder / "utf16").write_bytes(b"\xff\xfe" + noise.randbytes(10_001))
    (folder / "nul.csv").write_bytes(b"id,title,price\n1,La\0mp,1 EUR\n\0\0\0\n2,Lamp,2 EUR\n")
    (folder / "surrogates.jsonl").write_bytes(b'{"sku":"1","title":"\\ud800x","price":"1 EUR"}\n')
    (folder / "claims.xml").write_bytes(
        b'<?xml version="1.0" encoding="utf-7"?><rss>+ADw-item/></rss>'
    )
    (folder / "unknown.xml").write_bytes(
        b'<?xml version="1.0" encoding="klingon"?><rss><item/></rss>'
    )
    (folder / "types.jsonl").write_bytes(
        b'{"sku":1,"title":[],"price":{}}\n[]\n"x"\n{"code":1}\nnull\n{"variants":[1,null,{}]}\n'
    )
    (folder / "types.json").write_bytes(
        b'{"products":[1,null,"x",[],{"variants":{"a":1}},{"variants":[{"id":[],'
        b'"price":{"amount":1e999,"currency":"EUR"}},{"id":"1","price":{"amount":true}}]}]}'
    )
    (folder / "numbers.json").write_bytes(b'{"products":[{"a":' + b"9" * 200_000 + b"}]}")


ATTACKS: dict[str, Write] = {
    attack.__name__: attack
    for attack in (
        entity_bomb, entity_bomb_in_attributes, quadratic_entity, external_entity, endless_dtd,
        gzip_of_zeros, zip_tricks, gzip_damaged, deep, huge_fields, wide, stray_quotes, rubbish,
    )
}  # fmt: skip


def files_of(folder: Path) -> Iterator[Path]:
    """What an attack wrote, without its bait."""
    return (path for path in sorted(folder.iterdir()) if path.name != "secret.txt")
