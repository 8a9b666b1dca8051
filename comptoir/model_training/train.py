"""Trains the static embedding model. In: folders of Google product taxonomies and of public sets of
merchants' titles; all else comes with packages. Out: the three files of a model folder.
Nothing in them depends on the clock or chance: the same inputs give the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comptoir.model_training import lexicon, product_titles, table, texts
from comptoir.model_training.encodings import Progress, Teacher, encodings
from comptoir.model_training.evaluate import read_everyday
from comptoir.model_training.judged import read_judged
from comptoir.model_training.minilm import MiniLm
from comptoir.model_training.pieces import learn_tokenizer
from comptoir.model_training.targets import first_rows, second_rows, targets
from comptoir.model_training.teacher import UniversalSentenceEncoder
from kernel import embedding

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

NAME = "comptoir-static-3"
LICENCE = "Apache-2.0"
OWN_CATEGORIES = Path(embedding.__file__).parents[1] / "categories.toml"
MAX_MODEL_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Corpus:
    """How many texts of each kind; the defaults are those of the shipped model."""

    words: int = 60_000  # the most frequent of each language
    phrases: int = 2_500  # each in every language
    second_titles: int = 9_000  # of the merchants' titles, the same
    second_words: int = 15_000  # of the English words, those that the second teacher is asked for


@dataclass(frozen=True, slots=True)
class Sources:
    """Folders to learn from; `judged` holds judged queries whose product titles are left out."""

    taxonomy: Path
    titles: Path
    judged: Path | None = None


def train(
    sources: Sources,
    out: Path,
    work: Path,
    progress: Progress = lambda *_: None,
    *,
    recipe: table.Recipe | None = None,
    corpus: Corpus | None = None,
    teachers: tuple[Teacher, Teacher] | None = None,
) -> None:
    """Write the model folder `out`, learnt from everything but what an evaluation asks for.

    `work` keeps what the teachers said, part by part: a run that was killed goes on from there.
    `progress` gets a stage's name, the steps done and their number. On one thread, for threads add
    up in another order each time. Raises ValueError where a folder lacks a file,
    ModuleNotFoundError without the extra `models`."""
    from threadpoolctl import threadpool_limits

    recipe, corpus = recipe or table.Recipe(), corpus or Corpus()
    first, second = teachers or (UniversalSentenceEncoder(), MiniLm())
    with threadpool_limits(limits=1):
        learnt = [
            *gather(texts.read_taxonomy(sources.taxonomy), corpus),
            *product_titles.product_titles(sources.titles, _judged_titles(sources)),
        ]
        progress("pieces", 0, 1)
        tokenizer = learn_tokenizer((t.text for t in learnt), recipe.pieces)
        progress("pieces", 1, 1)
        wanted = _targets(learnt, (first, second), corpus, work, recipe, progress)
        fitted = table.fit(learnt, wanted, tokenizer, recipe, progress)
        save(out, tokenizer, table.quantise(fitted), recipe)
    progress("saved", 1, 1)


def gather(taxonomy: texts.Taxonomy, corpus: Corpus) -> list[texts.TrainingText]:
    """All texts to learn from, in a fixed order. No held-out category, no row of the lexicon with
    an everyday word that is asked for, no meaning that brings two of those together."""
    held_out = taxonomy.held_out_names()
    asked = asked_words()
    things = lexicon.read_rows(lexicon.THINGS, held_out | asked)
    qualities = lexicon.read_rows(lexicon.QUALITIES, held_out | asked)
    found = [
        *texts.words(texts.LANGUAGES, corpus.words),
        *texts.category_names(taxonomy),
        *texts.own_categories(OWN_CATEGORIES, held_out),
        *lexicon.things(things),
        *lexicon.phrases(things, qualities, corpus.phrases),
    ]
    return texts.without_pairs(found, asked)


def _judged_titles(sources: Sources) -> frozenset[str]:
    if sources.judged is None:
        return frozenset()
    return frozenset(map(texts.plain, read_judged(sources.judged).titles))


def asked_words() -> frozenset[str]:
    """The everyday words of the evaluation, as the tokenizer sees them."""
    return frozenset(
        texts.plain(word)
        for meaning in read_everyday()
        for words in meaning.values()
        for word in words
    )


def _targets(
    learnt: Sequence[texts.TrainingText],
    teachers: tuple[Teacher, Teacher],
    corpus: Corpus,
    work: Path,
    recipe: table.Recipe,
    progress: Progress,
) -> NDArray[Any]:
    """What the teachers say, brought together: float32 [texts, dimensions]."""
    import numpy as np

    merchants = [t for t in learnt if t.language == texts.TITLE]
    others = learnt[: len(learnt) - len(merchants)]
    said, place = _said(
        teachers[0],
        [
            {reading for text in others if not text.meaning for reading in texts.readings(text)},
            {reading for text in others if text.meaning for reading in texts.readings(text)},
            {reading for text in merchants for reading in texts.readings(text)},
        ],
        work,
        progress,
    )
    first = first_rows(learnt, said, place)
    english = [t for t in others if t.language == "en"]
    said, place = _said(
        teachers[1],
        [
            {t.text.lower() for t in [t for t in english if not t.meaning][: corpus.second_words]},
            {t.text.lower() for t in english if t.meaning},
            {t.text.lower() for t in product_titles.sample(merchants, corpus.second_titles)},
        ],
        work,
        progress,
    )
    # What a title says of makers and models is guessed from titles, words from words.
    second = np.concatenate(
        [
            second_rows(part, rows, said, place)
            for part, rows in ((others, first[: len(others)]), (merchants, first[len(others) :]))
            if part
        ]
    )
    progress("targets", 0, 1)
    wanted = targets(learnt, first, second, recipe)
    progress("targets", 1, 1)
    return wanted


def _said(
    teacher: Teacher, groups: Sequence[set[str]], work: Path, progress: Progress
) -> tuple[NDArray[Any], dict[str, int]]:
    """A teacher's rows and each text's place in them. Words, names and titles apart: what was said
    of the words then lasts when the lexicon grows."""
    import numpy as np

    asked: list[list[str]] = []
    before: set[str] = set()
    for group in groups:
        asked.append(sorted(group - before))
        before |= group
    said = np.concatenate([encodings(teacher, part, work, progress) for part in asked if part])
    return said, {text: n for n, text in enumerate(text for part in asked for text in part)}


def save(
    folder: Path, tokenizer: Tokenizer, quantised: table.Quantised, recipe: table.Recipe
) -> int:
    """Write the three files; config.json names the others' digests. Returns their bytes.

    Raises ValueError for a model too large to be shipped."""
    from safetensors.numpy import save as to_bytes

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
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return total


def _config(recipe: table.Recipe, dimensions: int, files: dict[str, bytes]) -> dict[str, Any]:
    return {
        "model_type": "model2vec",
        "name": NAME,
        "licence": LICENCE,
        "normalize": True,
        "hidden_dim": dimensions,
        "embedding_dtype": "int8",
        "max_length": 512,
        "languages": list(texts.LANGUAGES),
        "recipe": asdict(recipe),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
