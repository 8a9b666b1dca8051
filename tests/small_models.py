"""A model2vec folder of a few kilobytes, for tests that need another model than the shipped one."""

from __future__ import annotations

import json
import string
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers


def small_model(folder: Path, *, dimensions: int = 12, seed: int = 1) -> Path:
    """Letters and digits as pieces, each with a random vector; another seed is another model."""
    folder.mkdir(parents=True)
    letters = string.ascii_lowercase + string.digits
    pieces = ["[UNK]", *letters, *(f"##{letter}" for letter in letters)]
    numbered = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(numbered, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    rows = np.random.default_rng(seed).normal(size=(len(pieces), dimensions)).astype(np.float32)
    rows[0] = 0
    save_file({"embeddings": rows}, folder / "model.safetensors")
    config = {"model_type": "model2vec", "name": folder.name, "normalize": True}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder
