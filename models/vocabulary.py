"""The tokenizer of the family: unigram pieces of lower-cased text, XLM-R's special tokens."""

from collections.abc import Iterable

from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

SPECIAL = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
MASK = "<mask>"
FIRST_PIECE = len(SPECIAL) + 1  # the id of the first that is not special


def make_tokenizer(texts: Iterable[str], pieces: int, longest: int) -> PreTrainedTokenizerFast:
    """Return a tokenizer of at most so many pieces.

    Text is lower-cased: a thousand sentences a language do not say twice what a word means.
    Source of the algorithm: Kudo 2018, Subword regularization.

    Args:
        texts: what pieces are learnt from.
        pieces: the size of the vocabulary, special tokens included.
        longest: input in tokens, special ones included.
    """
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace(Regex(r"\s+"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=pieces,
        special_tokens=[*SPECIAL.values(), MASK],
        unk_token=SPECIAL["unk_token"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    start, end = SPECIAL["bos_token"], SPECIAL["eos_token"]
    ids = [(token, tokenizer.token_to_id(token)) for token in (start, end)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", pair=f"{start} $A {end} {end} $B {end}", special_tokens=ids
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **SPECIAL, mask_token=MASK, cls_token=start, sep_token=end,
        model_max_length=longest,
    )  # fmt: skip
