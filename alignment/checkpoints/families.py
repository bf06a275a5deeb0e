"""Families of multilingual models: what is made at several scales. A table to read.

Counts are of the encoder as this package loads it: without pooler, of an encoder-decoder the encoder, of
a model with a tower for images its part for text; the body is without embeddings of tokens. Vocabulary
is not scale: what is said of scale should hold on both. What else differs is in `norm` and `note`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ...data.nearest import closest
from ...data.rows import Columns

PREFIX = "family:"


@dataclass(frozen=True)
class Member:
    """A family at one scale: a checkpoint, built in or on the hub; None: not known."""

    id: str
    blocks: int | None
    dim: int | None
    vocabulary: int | None
    parameters: int
    parameters_body: int | None
    norm: str = "pre"  # where a block has its norms: pre, post, both
    pad: int | None = None  # id of the padding token
    prompt: str = ""  # put before every sentence
    safetensors: bool | None = True  # False: pickles only
    gated: bool = False
    note: str = ""


@dataclass(frozen=True)
class Family:
    """What the members have in common."""

    name: str
    title: str
    objective: str  # of pretraining: mlm, clm, span, rtd; contrastive
    pooling: str  # that it is used with
    longest: int  # input, in tokens
    languages: str  # of pretraining
    verified: str  # what was checked against what
    members: tuple[Member, ...]


# fmt: off
_ALL = (
    Family(
        "pocket",
        "Built in: small encoders of 12 languages",
        objective="contrastive",
        pooling="mean",
        longest=128,
        languages="12: en de fr es it ru zh ar tr fi hi sw",
        verified="whole: made by `python -m crosslingual.models`",
        members=(
            Member("pocket-xs", 4, 128, 24000, 3_635_328, 563_328, norm="post", pad=1),
            Member("pocket-s", 4, 256, 24000, 8_319_232, 2_175_232, norm="post", pad=1),
            Member("pocket-m", 6, 384, 24000, 16_419_456, 7_203_456, norm="post", pad=1),
        ),
    ),
    Family(
        "xlm-r",
        "XLM-RoBERTa",
        objective="mlm",
        pooling="mean",
        longest=512,
        languages="100, of CommonCrawl (CC-100)",
        verified="hub pages; base and large as in mteb's metadata; counted",
        members=(
            Member(
                "FacebookAI/xlm-roberta-base", 12, 768, 250_002, 277_453_056, 85_451_520, norm="post",
                pad=1,
            ),
            Member(
                "FacebookAI/xlm-roberta-large", 24, 1024, 250_002, 558_840_832, 302_838_784,
                norm="post", pad=1,
            ),
            Member(
                "facebook/xlm-roberta-xl", 36, 2560, 250_880, 3_475_929_600, 2_833_676_800, pad=1,
                note="a final norm, and norms before: not layer for layer like base and large",
            ),
            Member(
                "facebook/xlm-roberta-xxl", 48, 4096, 250_880, 10_695_954_432, 9_668_349_952, pad=1,
                safetensors=False, note="a pickle of 43 GB; like XL",
            ),
        ),
    ),
    Family(
        "mt5",
        "mT5, the encoder half",
        objective="span",
        pooling="mean",
        longest=512,
        languages="101, of CommonCrawl (mC4)",
        verified="hub pages of base, XL, XXL; counted",
        members=(
            Member(
                "google/mt5-small", 8, 512, 250_112, 146_940_608, 18_883_264, pad=0,
                safetensors=False,
            ),
            Member(
                "google/mt5-base", 12, 768, 250_112, 277_040_256, 84_954_240, pad=0,
                safetensors=False, note="overflows in float16",
            ),
            Member(
                "google/mt5-large", 24, 1024, 250_112, 564_446_720, 308_332_032, pad=0,
                safetensors=None,
            ),
            Member(
                "google/mt5-xl", 24, 2048, 250_112, 1_669_958_656, 1_157_729_280, pad=0,
                safetensors=False,
            ),
            Member(
                "google/mt5-xxl", 24, 4096, 250_112, 5_655_173_120, 4_630_714_368, pad=0,
                safetensors=False,
            ),
        ),
    ),
    Family(
        "mmbert",
        "mmBERT (ModernBERT)",
        objective="mlm",
        pooling="mean",
        longest=8192,
        languages="1,800 and more",
        verified="ids and counts as in mteb's model metadata",
        members=(
            Member("jhu-clsp/mmBERT-small", 22, 384, 256_000, 140_493_696, 42_189_696, pad=0),
            Member(
                "jhu-clsp/mmBERT-base", 22, 768, 256_000, 306_939_648, 110_331_648, pad=0,
                note="as deep as small",
            ),
        ),
    ),
    Family(
        "eurobert",
        "EuroBERT",
        objective="mlm",
        pooling="mean",
        longest=8192,
        languages="15",
        verified="hub page of 2.1B; 210m as in mteb's metadata; counted",
        members=(
            Member(
                "EuroBERT/EuroBERT-210m", 12, 768, 128_256, 211_766_016, 113_265_408, pad=128_001,
                safetensors=None,
            ),
            Member(
                "EuroBERT/EuroBERT-610m", 26, 1152, 128_256, 607_874_688, 460_123_776, pad=128_001,
                safetensors=None,
            ),
            Member(
                "EuroBERT/EuroBERT-2.1B", 32, 2304, 128_256, 2_107_590_912, 1_812_089_088,
                pad=128_001, safetensors=None,
            ),
        ),
    ),
    Family(
        "e5",
        "Multilingual E5",
        objective="contrastive",
        pooling="mean",
        longest=512,
        languages="about 100",
        verified="ids and counts as in mteb's model metadata",
        members=(
            Member(
                "intfloat/multilingual-e5-small", 12, 384, 250_037, 117_505_920, 21_491_712,
                norm="post", pad=0, prompt="query: ", note="BERT with the vocabulary of XLM-R",
            ),
            Member(
                "intfloat/multilingual-e5-base", 12, 768, 250_002, 277_453_056, 85_451_520,
                norm="post", pad=1, prompt="query: ",
            ),
            Member(
                "intfloat/multilingual-e5-large", 24, 1024, 250_002, 558_840_832, 302_838_784,
                norm="post", pad=1, prompt="query: ",
            ),
        ),
    ),
    Family(
        "qwen3",
        "Qwen3",
        objective="clm",
        pooling="last",
        longest=32768,
        languages="119",
        verified="ids and counts as in mteb's model metadata",
        members=(
            Member("Qwen/Qwen3-0.6B", 28, 1024, 151_936, 596_049_920, 440_467_456, pad=151_643),
            Member(
                "Qwen/Qwen3-1.7B", 28, 2048, 151_936, 1_720_574_976, 1_409_410_048, pad=151_643,
                note="as deep as 0.6B",
            ),
            Member("Qwen/Qwen3-4B", 36, 2560, 151_936, 4_022_468_096, 3_633_511_936, pad=151_643),
            Member(
                "Qwen/Qwen3-8B", 36, 4096, 151_936, 7_568_405_504, 6_946_075_648, pad=151_643,
                note="as deep as 4B",
            ),
            Member("Qwen/Qwen3-14B", 40, 5120, 151_936, 13_990_394_880, 13_212_482_560, pad=151_643),
        ),
    ),
    Family(
        "qwen3-embedding",
        "Qwen3-Embedding",
        objective="contrastive",
        pooling="last",
        longest=32768,
        languages="100 and more",
        verified="ids and counts as in mteb's model metadata",
        members=(
            Member(
                "Qwen/Qwen3-Embedding-0.6B", 28, 1024, 151_669, 595_776_512, 440_467_456,
                note="an instruction for queries only",
            ),
            Member(
                "Qwen/Qwen3-Embedding-4B", 36, 2560, 151_665, 4_021_774_336, 3_633_511_936,
                note="an instruction for queries only",
            ),
            Member(
                "Qwen/Qwen3-Embedding-8B", 36, 4096, 151_665, 7_567_295_488, 6_946_075_648,
                note="an instruction for queries only",
            ),
        ),
    ),
    Family(
        "f2llm",
        "F2LLM-v2, eight scales of one recipe",
        objective="contrastive",
        pooling="last",
        longest=40960,
        languages="multilingual; its training data are public",
        verified="ids and totals as in mteb's model metadata",
        members=(
            Member("codefuse-ai/F2LLM-v2-80M", None, 320, None, 80_084_288, None),
            Member("codefuse-ai/F2LLM-v2-160M", None, None, None, 159_185_024, None),
            Member("codefuse-ai/F2LLM-v2-330M", None, None, None, 334_349_184, None),
            Member("codefuse-ai/F2LLM-v2-0.6B", 28, 1024, 151_936, 596_049_920, 440_467_456),
            Member("codefuse-ai/F2LLM-v2-1.7B", 28, 2048, 151_936, 1_720_574_976, 1_409_410_048),
            Member("codefuse-ai/F2LLM-v2-4B", 36, 2560, 151_936, 4_022_468_096, 3_633_511_936),
            Member("codefuse-ai/F2LLM-v2-8B", 36, 4096, 151_936, 7_568_405_504, 6_946_075_648),
            Member("codefuse-ai/F2LLM-v2-14B", 40, 5120, 151_936, 13_990_394_880, 13_212_482_560),
        ),
    ),
    Family(
        "gemma-3",
        "Gemma 3",
        objective="clm",
        pooling="last",
        longest=32768,
        languages="more than 140",
        verified="as in mteb's metadata; counted",
        members=(
            Member(
                "google/gemma-3-270m", 18, 640, 262_144, 268_098_176, 100_326_016, norm="both", pad=0,
                gated=True, note="63 % of it are embeddings",
            ),
            Member(
                "google/gemma-3-1b-pt", 26, 1152, 262_144, 999_885_952, 697_896_064, norm="both",
                pad=0, gated=True,
            ),
            Member(
                "google/gemma-3-4b-pt", 34, 2560, 262_208, 3_880_263_168, 3_209_010_688, norm="both",
                pad=0, gated=True, note="its part for text; the tower for images is not loaded",
            ),
            Member(
                "google/gemma-3-12b-pt", 48, 3840, 262_208, 11_766_034_176, 10_759_155_456,
                norm="both", pad=0, gated=True,
                note="its part for text; the tower for images is not loaded",
            ),
            Member(
                "google/gemma-3-27b-pt", 62, 5376, 262_208, 27_009_346_304, 25_599_716_096,
                norm="both", pad=0, gated=True,
                note="its part for text; the tower for images is not loaded",
            ),
        ),
    ),
    Family(
        "bloom",
        "BLOOM",
        objective="clm",
        pooling="last",
        longest=512,
        languages="46; not German, Turkish, Finnish",
        verified="hub pages; counted",
        members=(
            Member(
                "bigscience/bloom-560m", 24, 1024, 250_880, 559_214_592, 302_313_472, pad=3,
                note="revisions of pretraining in bloom-560m-intermediate (global_step…)",
            ),
            Member("bigscience/bloom-1b1", 24, 1536, 250_880, 1_065_314_304, 679_962_624, pad=3),
            Member("bigscience/bloom-1b7", 24, 2048, 250_880, 1_722_408_960, 1_208_606_720, pad=3),
            Member("bigscience/bloom-3b", 30, 2560, 250_880, 3_002_557_440, 2_360_304_640, pad=3),
            Member("bigscience/bloom-7b1", 30, 4096, 250_880, 7_069_016_064, 6_041_411_584, pad=3),
        ),
    ),
    Family(
        "xglm",
        "XGLM",
        objective="clm",
        pooling="last",
        longest=2048,
        languages="30",
        verified="counted; whether there are safetensors was not seen",
        members=(
            Member(
                "facebook/xglm-564M", 24, 1024, 256_008, 564_463_616, 302_311_424, pad=1,
                safetensors=None,
            ),
            Member(
                "facebook/xglm-1.7B", 24, 2048, 256_008, 1_732_907_008, 1_208_602_624, pad=1,
                safetensors=None,
            ),
            Member(
                "facebook/xglm-2.9B", 48, 2048, 256_008, 2_941_505_536, 2_417_201_152, pad=1,
                safetensors=None,
            ),
            Member(
                "facebook/xglm-4.5B", 48, 2048, 256_008, 4_552_511_488, 4_028_207_104, pad=1,
                safetensors=None, note="other languages than the rest (134)",
            ),
            Member(
                "facebook/xglm-7.5B", 32, 4096, 256_008, 7_492_771_840, 6_444_163_072, pad=1,
                safetensors=None, note="32 blocks, fewer than 2.9B",
            ),
        ),
    ),
    Family(
        "eurollm",
        "EuroLLM",
        objective="clm",
        pooling="last",
        longest=4096,
        languages="35",
        verified="configuration on the hub page; counted; a separate output matrix is not",
        members=(
            Member("utter-project/EuroLLM-1.7B", 24, 2048, 128_000, 1_394_706_432, 1_132_562_432),
            Member("utter-project/EuroLLM-9B", 42, 4096, 128_000, 8_628_031_488, 8_103_743_488),
        ),
    ),
    Family(
        "apertus",
        "Apertus",
        objective="clm",
        pooling="last",
        longest=65536,
        languages="more than 1,000",
        verified="shapes from memory, counted; ids not looked at",
        members=(
            Member(
                "swiss-ai/Apertus-8B-2509", 32, 4096, 131_072, 7_516_467_264, 6_979_596_352,
                note="pretraining checkpoints as revisions",
            ),
            Member("swiss-ai/Apertus-70B-2509", 80, 8192, 131_072, 69_526_122_656, 68_452_380_832),
        ),
    ),
    Family(
        "smollm3",
        "SmolLM3",
        objective="clm",
        pooling="last",
        longest=65536,
        languages="6",
        verified="card; shape from memory, counted",
        members=(
            Member(
                "HuggingFaceTB/SmolLM3-3B", 36, 2048, 128_256, 3_075_098_624, 2_812_430_336,
                note="118 of pretraining as branches of HuggingFaceTB/SmolLM3-3B-checkpoints",
            ),
        ),
    ),
    Family(
        "aya",
        "Aya",
        objective="clm",
        pooling="last",
        longest=8192,
        languages="23",
        verified="shapes from memory, counted; ids not looked at",
        members=(
            Member(
                "CohereLabs/aya-23-8B", 32, 4096, 256_000, 8_028_033_024, 6_979_457_024, pad=0,
                gated=True, note="attention next to the feed-forward layer",
            ),
            Member(
                "CohereLabs/aya-expanse-32b", 40, 8192, 256_000, 32_296_476_672, 30_199_324_672,
                pad=0, gated=True, note="like 23-8B; another recipe",
            ),
        ),
    ),
    Family(
        "granite-embedding",
        "Granite Embedding multilingual",
        objective="contrastive",
        pooling="first",
        longest=512,
        languages="12",
        verified="ids and counts as in mteb's model metadata (without the pooler)",
        members=(
            Member(
                "ibm-granite/granite-embedding-107m-multilingual", 6, 384, 250_002, 106_846_080,
                10_845_312, norm="post", pad=1,
            ),
            Member(
                "ibm-granite/granite-embedding-278m-multilingual", 12, 768, 250_002, 277_453_056,
                85_451_520, norm="post", pad=1,
            ),
        ),
    ),
    Family(
        "granite-embedding-r2",
        "Granite Embedding multilingual R2 (ModernBERT)",
        objective="contrastive",
        pooling="first",
        longest=8192,
        languages="200 and more",
        verified="ids and counts as in mteb's model metadata",
        members=(
            Member(
                "ibm-granite/granite-embedding-97m-multilingual-r2", 12, 384, 180_000, 97_441_152,
                28_321_152,
            ),
            Member(
                "ibm-granite/granite-embedding-311m-multilingual-r2", 22, 768, 262_152, 311_664_384,
                110_331_648,
            ),
        ),
    ),
    Family(
        "arctic-embed",
        "Snowflake Arctic Embed v2",
        objective="contrastive",
        pooling="first",
        longest=8192,
        languages="74",
        verified="ids and counts as in mteb's model metadata",
        members=(
            Member(
                "Snowflake/snowflake-arctic-embed-l-v2.0", 24, 1024, 250_002, 566_705_152,
                310_703_104, norm="post", pad=1,
                note="medium needs code of its own, which is not run",
            ),
        ),
    ),
    Family(
        "bge-m3",
        "BGE-M3",
        objective="contrastive",
        pooling="first",
        longest=8192,
        languages="more than 100",
        verified="ids and counts as in mteb's model metadata",
        members=(
            Member(
                "BAAI/bge-m3", 24, 1024, 250_002, 566_705_152, 310_703_104, norm="post", pad=1,
                safetensors=False,
            ),
        ),
    ),
    Family(
        "labse",
        "LaBSE",
        objective="contrastive",
        pooling="native",
        longest=256,
        languages="109",
        verified="ids and counts as in mteb's model metadata",
        members=(
            Member(
                "sentence-transformers/LaBSE", 12, 768, 501_153, 470_336_256, 85_450_752, norm="post",
                pad=0,
            ),
        ),
    ),
    Family(
        "mbert",
        "Multilingual BERT",
        objective="mlm",
        pooling="mean",
        longest=512,
        languages="104, of Wikipedia",
        verified="hub page; counted",
        members=(
            Member(
                "google-bert/bert-base-multilingual-cased", 12, 768, 119_547, 177_262_848, 85_450_752,
                norm="post", pad=0,
            ),
        ),
    ),
    Family(
        "mdeberta",
        "mDeBERTa v3",
        objective="rtd",
        pooling="mean",
        longest=512,
        languages="100, of CommonCrawl (CC-100)",
        verified="shapes from memory, counted; ids not looked at",
        members=(
            Member(
                "microsoft/mdeberta-v3-base", 12, 768, 251_000, 278_218_752, 85_450_752, norm="post",
                pad=0, safetensors=None,
            ),
        ),
    ),
    Family(
        "harrier",
        "Harrier, of three bases (Gemma 3, Qwen3)",
        objective="contrastive",
        pooling="last",
        longest=32768,
        languages="multilingual",
        verified="ids and totals as in mteb's model metadata",
        members=(
            Member(
                "microsoft/harrier-oss-v1-270m", 18, 640, None, 268_065_920, None, norm="both",
                safetensors=None,
            ),
            Member("microsoft/harrier-oss-v1-0.6b", 28, 1024, None, 596_042_752, None, safetensors=None),
            Member(
                "microsoft/harrier-oss-v1-27b", 62, 5376, None, 27_008_663_808, None, norm="both",
                safetensors=None, note="other bases: not one family in the strict sense",
            ),
        ),
    ),
)
# fmt: on
FAMILIES: dict[str, Family] = {family.name: family for family in _ALL}
_MEMBERS = {member.id: (family, member) for family in _ALL for member in family.members}


def members_of(name: str) -> Sequence[Member]:
    """Return the scales of a family, smallest first.

    Args:
        name: of a family, as in `list families`.

    Raises:
        ValueError: there is none of that name.
    """
    if name not in FAMILIES:
        raise ValueError(f"unknown family {name!r}: {closest(name, FAMILIES)}")
    return sorted(FAMILIES[name].members, key=lambda member: member.parameters)


def find_member(checkpoint: str) -> tuple[Family, Member] | None:
    """Return the family and the scale of a checkpoint; None where the table does not have it."""
    return _MEMBERS.get(checkpoint)


# of kinds of models whose norms are in one place whatever the configuration says
_NORMS = {
    **dict.fromkeys(("albert", "bert", "camembert", "deberta", "deberta-v2", "distilbert"), "post"),
    **dict.fromkeys(("electra", "ernie", "mpnet", "rembert", "roberta", "xlm-roberta", "xmod"), "post"),
    **dict.fromkeys(("apertus", "bloom", "cohere", "eurobert", "gpt2", "gpt_neox", "llama"), "pre"),
    **dict.fromkeys(("m2m_100", "mbart", "mistral", "mixtral", "modernbert", "mt5", "phi3"), "pre"),
    **dict.fromkeys(("qwen2", "qwen3", "smollm3", "t5", "umt5", "xglm", "xlm-roberta-xl"), "pre"),
    **dict.fromkeys(("gemma2", "gemma3", "gemma3_text"), "both"),
}
_HEADS = {"ForMaskedLM": "mlm", "ForCausalLM": "clm"}


def norm_of(checkpoint: str, config: Columns) -> str:
    """Return where the blocks of a checkpoint have their norms; "" where that is not known."""
    found = find_member(checkpoint)
    if found is not None:
        return found[1].norm
    return _NORMS.get(str(config.get("model_type")), "")


def objective_of(checkpoint: str, config: Columns) -> str:
    """Return what a checkpoint was pretrained for: by the table, else by its head; "" if not known."""
    found = find_member(checkpoint)
    if found is not None:
        return found[0].objective
    heads = config.get("architectures") or []
    return next((name for head in heads for end, name in _HEADS.items() if str(head).endswith(end)), "")
