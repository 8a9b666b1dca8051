"""`comptoir model`: what it prints, how it streams, what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from comptoir.commands import model
from comptoir.installation import Installation
from indexer.embedded import EmbeddedEngine
from kernel.embedding.encoder import SHIPPED_MODEL, load_encoder
from kernel.errors import DomainError
from tests.small_models import small_model


def run(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
    done = CliRunner().invoke(model.command, words, input=stdin)
    if isinstance(done.exception, DomainError):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def test_encode_gives_a_json_line_for_every_line() -> None:
    lines = ["lave-linge", "", "Kühlschrank \U0001f9ca", "  blanks  "]
    code, told, said = run("encode", stdin="\r\n".join(lines).encode())
    assert code == 0
    rows = [json.loads(line) for line in told.splitlines()]
    assert [row["text"] for row in rows] == lines
    vectors = np.array([row["vector"] for row in rows], dtype=np.float32)
    np.testing.assert_allclose(vectors, load_encoder().encode(lines), atol=1e-6)
    assert f"4 texts encoded with {load_encoder().model_id}" in said


def test_encode_takes_files_and_bytes_that_are_no_text(tmp_path: Path) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.jsonl"
    source.write_bytes(b"lamp \xff\xfe\n" + b"a" * 100_000 + b"\n\x00\x1b[31m\nlast")
    code, told, _ = run("encode", "--input", str(source), "--output", str(target))
    assert (code, told) == (0, "")
    rows = [json.loads(line) for line in target.read_bytes().splitlines()]
    assert rows[0]["text"] == "lamp \ufffd\ufffd"
    assert len(rows[1]["text"]) == 100_000
    assert rows[3]["text"] == "last"
    for row in rows:
        norm = np.linalg.norm(row["vector"])
        assert norm == pytest.approx(1, abs=1e-4) or norm == 0


def test_encode_cuts_a_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "LONGEST_LINE_BYTES", 1_000)
    code, told, _ = run("encode", stdin=b"lamp " * 5_000 + b"\nnext\n")
    assert code == 0
    texts = [json.loads(line)["text"] for line in told.splitlines()]
    assert [len(text) for text in texts] == [1_000, 4]


def test_encode_streams_in_bounded_memory(tmp_path: Path) -> None:
    """A hundred megabytes of answers leave the process as small as five do."""
    code = (
        "import re, sys\n"
        "from comptoir.commands.model import command\n"
        "command(['encode', '--input', sys.argv[1], '--output', '/dev/null'],"
        " standalone_mode=False)\n"
        # Not getrusage: its peak is that of the process that started this one.
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    peaks = []
    for count in (2_000, 40_000):
        source = tmp_path / f"{count}.txt"
        source.write_text("".join(f"lave-linge {n % 5_000} kg\n" for n in range(count)), "utf-8")
        done = subprocess.run(
            [sys.executable, "-c", code, str(source)], capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout) / 1_024)
    assert peaks[1] < peaks[0] + 40, peaks
    assert peaks[1] < 250, peaks


def test_info_names_the_model_and_what_is_to_be_rebuilt(
    database_url_of_brands: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url_of_brands)
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path))
    installation = Installation()
    assert isinstance(installation.engine, EmbeddedEngine)
    brand = next(iter(installation.brands.brands()))
    index = installation.engine.create(brand, model_id="another-model", dimensions=7)
    installation.engine.publish(brand, index)
    code, told, _ = run("info", "--json")
    assert code == 0
    document = json.loads(told)
    encoder = load_encoder()
    assert document["id"] == encoder.model_id
    assert document["dimensions"] == 256
    assert document["source"] == str(SHIPPED_MODEL)
    assert document["pieces"] > 10_000
    assert 1_000_000 < document["bytes_on_disk"] <= 20_000_000
    assert {"fr", "de", "en", "es", "it", "nl", "pl"} <= set(document["languages"])
    (row,) = [row for row in document["stored"] if row["what"] == f"index {brand}"]
    assert (row["model_id"], row["dimensions"], row["count"]) == ("another-model", 7, 0)
    assert f"comptoir index rebuild --brand {brand}" in row["to_do"]
    code, told, _ = run("info")
    assert code == 0
    assert encoder.model_id in told
    assert "another-model, 7 dimensions; to be rebuilt" in told


@pytest.fixture
def database_url_of_brands(postgres_url: str) -> str:
    import tenants
    from kernel.db import Database
    from tenants.brand import read_brand_file
    from tenants.registry import apply_brand
    from tests.conftest import fresh_database

    url = fresh_database(postgres_url)
    database = Database(url)
    with database.platform() as tx:
        apply_brand(tx, *read_brand_file(Path(tenants.__file__).parent / "bundled/mirabelle.toml"))
    database.close()
    return url


def test_eval_measures_another_model_too(tmp_path: Path) -> None:
    folder = small_model(tmp_path / "small")
    code, told, _ = run("eval", "--model", str(folder), "--json")
    assert code == 0
    figures = json.loads(told)
    assert figures["model"].startswith("small-")
    assert figures["dimensions"] == 12
    assert figures["taxonomy"] is None
    shipped = json.loads(run("eval", "--json")[1])
    assert shipped["everyday"]["r_at_1"] > figures["everyday"]["r_at_1"] + 0.2


def test_eval_says_which_folder_holds_nothing(tmp_path: Path) -> None:
    with pytest.raises(DomainError) as refusal:
        run("eval", "--taxonomy", str(tmp_path))
    assert refusal.value.code == "model_data_missing"


@pytest.mark.parametrize("words", [("encode", "--model"), ("eval", "--model"), ("info", "--model")])
def test_a_model_that_is_not_there_is_named(words: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="no-model"):
        run(*words, str(tmp_path / "no-model"))


def test_a_plain_start_imports_nothing_large() -> None:
    code = (
        "import sys; from comptoir.commands.model import command;"
        "print(sorted({'numpy', 'sqlalchemy', 'tokenizers', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "[]"
