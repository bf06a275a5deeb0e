"""Tokenizers, as saved with a checkpoint."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import refusing

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def load_tokenizer(folder: Path, gguf: str = "", *, lower: bool) -> "PreTrainedTokenizerBase":
    """Load the tokenizer of a folder.

    Args:
        folder: with its files.
        gguf: the GGUF file in it that has the tokenizer, if one has.
        lower: lower-case every text first.

    Raises:
        ValueError: no tokenizer there, or one without a vocabulary.
    """
    from transformers import AutoTokenizer

    options = {"gguf_file": gguf} if gguf else {}
    if not gguf:
        _refuse_unreadable(folder)
    with refusing(folder, "no tokenizer there"):
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, **options)
    # none of those of bytes or characters, and not of a GGUF file
    vocabulary = set() if gguf else set(tokenizer.vocab_files_names.values())
    files = {"tokenizer.json", *vocabulary}
    if vocabulary and not any((folder / name).is_file() for name in files):
        # transformers makes one without a vocabulary, to which every word is unknown
        raise ValueError(f"{folder}: no tokenizer there (no {', '.join(sorted(files))})")
    if 0 < len(tokenizer) <= len(tokenizer.all_special_ids):
        raise ValueError(f"{folder}: its tokenizer has no vocabulary: every word is unknown to it")
    if lower:
        lower_case(tokenizer)
    return tokenizer


def _refuse_unreadable(folder: Path) -> None:
    """Raise where there is but a sentencepiece model, and nothing that reads it."""
    models = sorted(path.name for path in folder.glob("*.model"))
    if models and not (folder / "tokenizer.json").is_file() and find_spec("sentencepiece") is None:
        raise ValueError(
            f"{folder}: its tokenizer is {models[0]} only; pip install 'crosslingual[sentencepiece]'"
        )


def lower_case(tokenizer: "PreTrainedTokenizerBase") -> None:
    """Have a tokenizer lower-case every text first, as sentence-transformers' `do_lower_case` does.

    Raises:
        ValueError: a tokenizer in Python that has no such setting.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is not None:
        from tokenizers.normalizers import Lowercase, Normalizer, Sequence

        steps: list[Normalizer] = [Lowercase()]
        if backend.normalizer is not None:
            steps.append(backend.normalizer)
        backend.normalizer = Sequence(steps)
    elif hasattr(tokenizer, "do_lower_case"):
        tokenizer.do_lower_case = True
    else:
        raise ValueError(f"{type(tokenizer).__name__} cannot lower-case, as `do_lower_case` says")
