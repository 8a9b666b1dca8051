"""Trains the static embedding model. In: a folder of Google product taxonomies; all else comes
with packages. Out: config.json, model.safetensors, tokenizer.json; nothing in them depends on the
clock or chance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comptoir.model_training import table, texts
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


Progress = Callable[[str, int, int], None]


def train(taxonomy: Path, out: Path, work: Path, progress: Progress = lambda *_: None) -> None:
    """Write the model folder `out`, learnt from everything but the held-out categories.

    `work` keeps what the teachers said, part by part: a run that was killed goes on from there.
    `progress` gets a stage's name, the steps done and their number. Raises ValueError where
    `taxonomy` holds no taxonomy file."""
    work.mkdir(parents=True, exist_ok=True)
    recipe = table.Recipe()
    categories = texts.read_taxonomy(taxonomy)
    learnt = gather(categories, WORDS_PER_LANGUAGE)
    distinct = sorted({t.text for t in learnt})
    taught = teach(distinct)
    place = {text: n for n, text in enumerate(distinct)}
    wanted = table.targets(learnt, taught[[place[t.text] for t in learnt]], recipe)
    tokenizer = table.learn_tokenizer(distinct, recipe.pieces)
    fitted = table.fit(learnt, wanted, tokenizer, recipe)
    save(out, tokenizer, table.quantise(fitted), recipe)
    progress("saved", 1, 1)


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
