"""Trains the static embedding model: `python -m comptoir.model_training.train --taxonomy FOLDER
--out FOLDER`. In: a folder of Google product taxonomies; all else comes with packages. Out:
config.json, model.safetensors, tokenizer.json; nothing in them depends on the clock or chance."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comptoir.model_training import table, texts
from comptoir.model_training.evaluate import report
from comptoir.model_training.teacher import teach
from kernel import embedding

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

NAME = "comptoir-static-1"
LEXICON = Path(__file__).parent / "lexicon.toml"
OWN_CATEGORIES = Path(embedding.__file__).parents[1] / "categories.toml"

WORDS_PER_LANGUAGE = 60_000
PHRASES = 1_500
MAX_MODEL_BYTES = 20_000_000


def gather(taxonomy: texts.Taxonomy, words_per_language: int) -> list[texts.TrainingText]:
    """All texts of the shipped model, in a fixed order."""
    forbidden = taxonomy.held_out_names()
    return [
        *texts.words(texts.LANGUAGES, words_per_language),
        *texts.category_names(taxonomy),
        *texts.own_categories(OWN_CATEGORIES, forbidden),
        *texts.phrases(LEXICON, PHRASES, forbidden),
    ]


def train(
    taxonomy: texts.Taxonomy,
    recipe: table.Recipe,
    *,
    words_per_language: int = WORDS_PER_LANGUAGE,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Tokenizer, table.Quantised]:
    """Tokenizer and 8-bit table, learnt from everything but the held-out categories."""
    learnt = gather(taxonomy, words_per_language)
    distinct = sorted({t.text for t in learnt})
    progress(f"texts: {len(learnt):,}, of which {len(distinct):,} distinct")
    taught = teach(distinct, progress)
    place = {text: n for n, text in enumerate(distinct)}
    wanted = table.targets(learnt, taught[[place[t.text] for t in learnt]], recipe)
    progress(f"targets: {wanted.shape[0]:,} x {wanted.shape[1]}")
    tokenizer = table.learn_tokenizer(distinct, recipe.pieces)
    progress(f"tokenizer: {tokenizer.get_vocab_size():,} pieces")
    fitted = table.fit(learnt, wanted, tokenizer, recipe, progress)
    return tokenizer, table.quantise(fitted)


def save(
    folder: Path, tokenizer: Tokenizer, quantised: table.Quantised, recipe: table.Recipe
) -> int:
    """Write the three files; config.json names the others' digests. Returns their bytes."""
    from safetensors.numpy import save as to_bytes

    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, NDArray[Any]] = {"embeddings": quantised.rows, "weights": quantised.weights}
    files = {
        "model.safetensors": to_bytes(tensors),
        "tokenizer.json": tokenizer.to_str(pretty=False).encode(),
    }
    config = _config(recipe, quantised.rows.shape[1], files)
    files["config.json"] = (json.dumps(config, indent=2) + "\n").encode()
    total = sum(map(len, files.values()))
    if total > MAX_MODEL_BYTES:
        raise ValueError(
            f"the model takes {total:,} bytes, {MAX_MODEL_BYTES:,} at most are shipped"
        )
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return total


def _config(recipe: table.Recipe, dimensions: int, files: dict[str, bytes]) -> dict[str, Any]:
    return {
        "model_type": "model2vec",
        "name": NAME,
        "normalize": True,
        "hidden_dim": dimensions,
        "embedding_dtype": "int8",
        "max_length": 512,
        "languages": list(texts.LANGUAGES),
        "recipe": asdict(recipe),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }


def _stage_printer() -> Callable[[str], None]:
    started = time.monotonic()
    return lambda line: click.echo(f"{time.monotonic() - started:6.1f} s  {line}")


@click.command()
@click.option("--taxonomy", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--words", default=WORDS_PER_LANGUAGE, show_default=True, help="of each language")
@click.option("--pieces", default=table.Recipe().pieces, show_default=True)
def main(taxonomy: Path, out: Path, words: int, pieces: int) -> None:
    """Train, save and evaluate."""
    from kernel.embedding.encoder import load_encoder

    progress = _stage_printer()
    categories = texts.read_taxonomy(taxonomy)
    progress(f"taxonomy: {len(categories.names):,} ids, {len(categories.held_out):,} held out")
    recipe = table.Recipe(pieces=pieces)
    tokenizer, quantised = train(categories, recipe, words_per_language=words, progress=progress)
    progress(f"saved: {save(out, tokenizer, quantised, recipe):,} bytes in {out}")
    encoder = load_encoder(out)
    progress(f"loaded: {encoder.model_id}")
    click.echo(report({encoder.model_id: encoder.encode}, categories))


if __name__ == "__main__":
    main()
