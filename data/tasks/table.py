"""The labelled tasks: what each is, where it comes from, how it is read. A table to read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from . import fields as of
from .fields import Fields
from .files import Located, conllu, json_lines, lines_of_tabs, quoted, squad, word_tag

_TOPICS = (
    "science/technology",
    "travel",
    "politics",
    "sports",
    "health",
    "entertainment",
    "geography",
)
NLI = ("entailment", "neutral", "contradiction")
# fmt: off
UPOS = (
    "ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT",
    "SCONJ", "SYM", "VERB", "X",
)
# fmt: on
IOB = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
_NLI_NAMES = {"e": "entailment", "n": "neutral", "c": "contradiction"} | dict(
    zip("012", NLI, strict=True)
)
_IOB_NAMES = {str(i): name for i, name in enumerate(IOB)}
_QQP_NAMES = {
    "0": "different",
    "1": "paraphrase",
    "not_duplicate": "different",
    "duplicate": "paraphrase",
}
_UPOS_NAMES = {"_": "X"}  # XTREME's and MasakhaPOS's unset tags
# fmt: off
_UDPOS_CODES = {  # XTREME's configurations
    "af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "kk": "Kazakh", "ko": "Korean", "mr": "Marathi", "nl": "Dutch", "pt": "Portuguese",
    "ru": "Russian", "ta": "Tamil", "te": "Telugu", "th": "Thai", "fil": "Tagalog", "tr": "Turkish",
    "ur": "Urdu", "vi": "Vietnamese", "yo": "Yoruba", "zh": "Chinese",
}
# fmt: on


@dataclass(frozen=True)
class Local:
    """A published file format: files of each split, with {code} where languages have their own."""

    files: Mapping[str, tuple[str, ...]]
    read: Callable[[Path], Located]
    fields: Fields


@dataclass(frozen=True)
class Hub:
    """A dataset on the hub, native parquet."""

    id: str
    config: str  # {code} where languages have their own
    splits: Mapping[str, tuple[str, ...]]  # ours -> its
    columns: tuple[str, ...]
    fields: Fields
    revision: str = ""
    names: Mapping[str, str] = field(default_factory=dict)  # language tag -> its code, where they differ


@dataclass(frozen=True)
class Task:
    """What is to be known of a task."""

    name: str
    title: str
    kind: str  # a key of `examples.KINDS`
    role: str  # intermediate or target
    metric: str  # accuracy, span_f1 (SQuAD F1 and EM) or entity_f1
    head: str  # tasks of one head group share a head
    languages: str
    licence: str
    source: str
    verified: str
    labels: tuple[str, ...] = ()  # of pairs and tags; none: those of the training data
    names: Mapping[str, str] = field(default_factory=dict)  # other ways labels are written
    skip: tuple[str, ...] = ()  # labels of rows that have none
    tags: Mapping[str, str] = field(default_factory=dict)  # of codes whose script is not the likely one
    unanswerable: bool = False  # whether some questions have no answer
    local: Local | None = None
    hub: Hub | None = None
    parts: tuple[str, ...] = ()  # tasks whose data together are this one's


_GLUE = "nyu-mll/glue"
_DEV = {"train": ("train",), "dev": ("validation",)}
_PAIRS = ("premise", "hypothesis", "label")
_SQUAD = ("id", "title", "context", "question", "answers")

# fmt: off
TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            "anli+",
            "ANLI, MNLI and SNLI together (X-STILTs)",
            "pair", "intermediate", "accuracy", "nli", "en",
            "by part; ANLI is non-commercial",
            "Phang et al. 2020, https://arxiv.org/abs/2005.13013",
            "see its parts",
            labels=NLI,
            parts=("anli", "mnli", "snli"),
        ),
        Task(
            "anli",
            "Adversarial NLI, rounds 1 to 3",
            "pair", "intermediate", "accuracy", "nli", "en",
            "CC BY-NC 4.0",
            "Nie et al. 2020, https://arxiv.org/abs/1910.14599",
            "files: dev of all rounds; hub: id and splits as lm-evaluation-harness reads them",
            labels=NLI,
            names=_NLI_NAMES,
            local=Local(
                {split: (f"r[123]_{split}.jsonl",) for split in ("train", "dev", "test")},
                json_lines,
                of.pairs(*_PAIRS, source="anli", by_text=True),
            ),
            hub=Hub(
                "facebook/anli", "plain_text",
                {split: tuple(f"{split}_r{i}" for i in (1, 2, 3)) for split in ("train", "dev", "test")},
                _PAIRS,
                of.pairs(*_PAIRS, source="anli", by_text=True),
            ),
        ),
        Task(
            "snli",
            "Stanford NLI",
            "pair", "intermediate", "accuracy", "nli", "en",
            "CC BY-SA 4.0",
            "Bowman et al. 2015, https://arxiv.org/abs/1508.05326",
            "columns from memory, not verified",
            labels=NLI,
            names=_NLI_NAMES,
            skip=("-", "-1"),
            local=Local(
                {split: (f"snli_1.0_{split}.jsonl",) for split in ("train", "dev", "test")},
                json_lines,
                of.pairs("sentence1", "sentence2", "gold_label", source="snli", by_text=True),
            ),
            hub=Hub(
                "stanfordnlp/snli", "plain_text", {**_DEV, "test": ("test",)}, _PAIRS,
                of.pairs(*_PAIRS, source="snli", by_text=True),
            ),
        ),
        Task(
            "mnli",
            "Multi-genre NLI; dev is the matched one",
            "pair", "intermediate", "accuracy", "nli", "en",
            "OANC and others, by genre",
            "Williams et al. 2018, https://arxiv.org/abs/1704.05426",
            "hub: id as lm-evaluation-harness reads it, columns from memory; files: layout from memory",
            labels=NLI,
            names=_NLI_NAMES,
            skip=("-", "-1"),
            local=Local(
                {"train": ("train.tsv",), "dev": ("dev_matched.tsv",)},
                lines_of_tabs(),
                of.pairs("sentence1", "sentence2", "gold_label", source="mnli", by_text=True),
            ),
            hub=Hub(
                _GLUE, "mnli", {"train": ("train",), "dev": ("validation_matched",)}, _PAIRS,
                of.pairs(*_PAIRS, source="mnli", by_text=True),
            ),
        ),
        Task(
            "rte",
            "Recognising textual entailment (GLUE): a small stand-in for MNLI, with two labels",
            "pair", "intermediate", "accuracy", "rte", "en",
            "none stated",
            "Wang et al. 2019, https://arxiv.org/abs/1804.07461",
            "files: complete; 24 of dev's 277 share a premise with train; hub: as lm-evaluation-harness",
            labels=("entailment", "not_entailment"),
            names={"0": "entailment", "1": "not_entailment"},
            local=Local(
                {"train": ("train.tsv",), "dev": ("dev.tsv",)},
                lines_of_tabs(),
                of.pairs("sentence1", "sentence2", "label", source="rte", by_text=True),
            ),
            hub=Hub(
                _GLUE, "rte", _DEV, ("sentence1", "sentence2", "label"),
                of.pairs("sentence1", "sentence2", "label", source="rte", by_text=True),
            ),
        ),
        Task(
            "qqp",
            "Quora question pairs",
            "pair", "intermediate", "accuracy", "paraphrase", "en",
            "Quora's terms (non-commercial)",
            "Wang et al. 2019, https://arxiv.org/abs/1804.07461",
            "hub: id as lm-evaluation-harness reads it, columns from memory; files: layout from memory",
            labels=("different", "paraphrase"),
            names=_QQP_NAMES,
            local=Local(
                {"train": ("train.tsv",), "dev": ("dev.tsv",)},
                lines_of_tabs(),
                of.pairs("question1", "question2", "is_duplicate", source="qqp", by_text=True),
            ),
            hub=Hub(
                _GLUE, "qqp", _DEV, ("question1", "question2", "label"),
                of.pairs("question1", "question2", "label", source="qqp", by_text=True),
            ),
        ),
        Task(
            "squad",
            "SQuAD 1.1",
            "span", "intermediate", "span_f1", "span", "en",
            "CC BY-SA 4.0",
            "Rajpurkar et al. 2016, https://arxiv.org/abs/1606.05250",
            "files: format verified on XQuAD and TyDi QA; hub: columns from memory",
            local=Local(
                {"train": ("train-v1.1.json",), "dev": ("dev-v1.1.json",)}, squad, of.spans("squad")
            ),
            hub=Hub("rajpurkar/squad", "plain_text", _DEV, _SQUAD, of.spans("squad")),
        ),
        Task(
            "squad2",
            "SQuAD 2.0: some questions have no answer",
            "span", "intermediate", "span_f1", "span2", "en",
            "CC BY-SA 4.0",
            "Rajpurkar et al. 2018, https://arxiv.org/abs/1806.03822",
            "files: format as squad; hub: columns from memory",
            unanswerable=True,
            local=Local(
                {"train": ("train-v2.0.json",), "dev": ("dev-v2.0.json",)}, squad, of.spans("squad")
            ),
            hub=Hub("rajpurkar/squad_v2", "squad_v2", _DEV, _SQUAD, of.spans("squad")),
        ),
        Task(
            "hellaswag",
            "HellaSwag: which ending follows",
            "choice", "intermediate", "accuracy", "choice", "en",
            "MIT",
            "Zellers et al. 2019, https://arxiv.org/abs/1905.07830",
            "files: 4,000 rows of validation; hub: id, splits as lm-evaluation-harness reads it",
            local=Local(
                {"train": ("*train*.jsonl",), "dev": ("*val*.jsonl",)},
                json_lines,
                of.hellaswag,
            ),
            hub=Hub(
                "Rowan/hellaswag", "default", _DEV, ("ctx", "endings", "label", "source_id"),
                of.hellaswag,
            ),
        ),
        Task(
            "ccg",
            "CCG supertagging: CCGbank is licensed, so a user's files, a word and its tag a line",
            "tagging", "intermediate", "accuracy", "ccg", "en",
            "LDC2005T13",
            "Hockenmaier & Steedman 2007",
            "no file was at hand; ewt-xpos is the named stand-in",
            local=Local(
                {split: (f"{split}*.txt", f"{split}*.tsv") for split in ("train", "dev", "test")},
                word_tag(" "),
                of.tags("words", "tags", source="ccg"),
            ),
        ),
        Task(
            "ewt-xpos",
            "Penn tags of UD English-EWT: the stand-in for CCG supertagging",
            "tagging", "intermediate", "accuracy", "xpos", "en",
            "CC BY-SA 4.0",
            "Silveira et al. 2014",
            "files: dev, complete",
            local=Local(
                {split: (f"*_ewt-ud-{split}.conllu",) for split in ("train", "dev", "test")},
                conllu,
                of.tags("form", "xpos", source="ewt"),
            ),
        ),
        Task(
            "cosmosqa",
            "Cosmos QA: what a diary leaves unsaid",
            "choice", "intermediate", "accuracy", "choice", "en",
            "none stated",
            "Huang et al. 2019, https://arxiv.org/abs/1909.00277",
            "files: valid, complete; hub: columns from a pull request",
            local=Local({"train": ("train.csv",), "dev": ("valid.csv",)}, quoted, of.cosmosqa),
            hub=Hub(
                "allenai/cosmos_qa", "default", _DEV,
                ("id", "context", "question", "answer0", "answer1", "answer2", "answer3", "label"),
                of.cosmosqa,
                revision="refs/convert/parquet",
            ),
        ),
        Task(
            "commonsenseqa",
            "CommonsenseQA: five answers",
            "choice", "intermediate", "accuracy", "choice", "en",
            "none stated",
            "Talmor et al. 2019, https://arxiv.org/abs/1811.00937",
            "files: 3,000 rows of train, dev; hub: id, splits as lm-evaluation-harness reads it",
            local=Local(
                {"train": ("train_rand_split*.jsonl",), "dev": ("dev_rand_split*.jsonl",)},
                json_lines,
                of.commonsenseqa,
            ),
            hub=Hub(
                "tau/commonsense_qa", "default", _DEV, ("id", "question", "choices", "answerKey"),
                of.commonsenseqa,
            ),
        ),
        Task(
            "xnli",
            "XNLI; English training data is MNLI",
            "pair", "target", "accuracy", "nli", "15",
            "CC BY-NC 4.0",
            "Conneau et al. 2018, https://arxiv.org/abs/1809.05053",
            "files: dev in 11 languages, test in 2; hub: id and columns seen",
            labels=NLI,
            names=_NLI_NAMES,
            local=Local(
                {split: (f"{split}-{{code}}.tsv",) for split in ("dev", "test")},
                lines_of_tabs(*_PAIRS),
                of.pairs(*_PAIRS, source="xnli", rows=3),
            ),
            hub=Hub(
                "facebook/xnli", "{code}", {"dev": ("validation",), "test": ("test",)}, _PAIRS,
                of.pairs(*_PAIRS, source="xnli", rows=3),
            ),
        ),
        Task(
            "pawsx",
            "PAWS-X: paraphrases with the same words",
            "pair", "target", "accuracy", "paraphrase", "7",
            "free use, attribution to Google appreciated",
            "Yang et al. 2019, https://arxiv.org/abs/1908.11828",
            "files: dev in 4 languages; hub: id as lm-evaluation-harness reads it, columns from memory",
            labels=("different", "paraphrase"),
            names={"0": "different", "1": "paraphrase"},
            local=Local(
                {split: (f"{split}-{{code}}.tsv",) for split in ("train", "dev", "test")},
                lines_of_tabs("sentence1", "sentence2", "label"),
                of.pairs("sentence1", "sentence2", "label", source="pawsx"),
            ),
            hub=Hub(
                "google-research-datasets/paws-x", "{code}", {**_DEV, "test": ("test",)},
                ("sentence1", "sentence2", "label"),
                of.pairs("sentence1", "sentence2", "label", source="pawsx"),
            ),
        ),
        Task(
            "udpos",
            "Universal part-of-speech tags, XTREME's files",
            "tagging", "target", "entity_f1", "upos", "33 (XTREME-R 38)",
            "by treebank",
            "Zeman et al., UD 2.5",
            "hub and files: columns from secondary sources",
            labels=UPOS,
            names=_UPOS_NAMES,
            local=Local(
                {split: (f"{split}-{{code}}.tsv",) for split in ("train", "dev", "test")},
                word_tag("\t"),
                of.tags("words", "tags", source="udpos"),
            ),
            hub=Hub(
                "google/xtreme", "udpos.{code}", {**_DEV, "test": ("test",)}, ("tokens", "pos_tags"),
                of.tags("tokens", "pos_tags", source="udpos"),
                names=_UDPOS_CODES,
            ),
        ),
        Task(
            "ewt",
            "Universal part-of-speech tags of UD English-EWT",
            "tagging", "target", "accuracy", "upos", "en",
            "CC BY-SA 4.0",
            "Silveira et al. 2014",
            "files: dev, complete",
            labels=UPOS,
            names=_UPOS_NAMES,
            local=Local(
                {split: (f"{{code}}_ewt-ud-{split}.conllu",) for split in ("train", "dev", "test")},
                conllu,
                of.tags("form", "upos", source="ewt"),
            ),
        ),
        Task(
            "pud",
            "Universal part-of-speech tags of the parallel UD treebanks",
            "tagging", "target", "accuracy", "upos", "23",
            "CC BY-SA 3.0 or 4.0, by treebank",
            "Zeman et al. 2017, https://aclanthology.org/K17-3001",
            "files: 11 languages, complete",
            tags={"zh": "zh-Hant"},
            labels=UPOS,
            names=_UPOS_NAMES,
            local=Local(
                {"test": ("{code}_pud.conllu", "{code}_pud-ud-test.conllu")},
                conllu,
                of.tags("form", "upos", source="pud", parallel=True),
            ),
        ),
        Task(
            "masakhapos",
            "Part-of-speech tags of African languages; their use differs from UD's",
            "tagging", "target", "accuracy", "upos", "20",
            "CC BY-NC 4.0",
            "Dione et al. 2023, https://arxiv.org/abs/2305.13989",
            "files: Swahili, complete",
            labels=UPOS,
            names=_UPOS_NAMES,
            local=Local(
                {split: (f"{{code}}/{split}.txt",) for split in ("train", "dev", "test")},
                word_tag(" "),
                of.tags("words", "tags", source="masakhapos"),
            ),
        ),
        Task(
            "wikiann",
            "WikiANN (PAN-X) named entities, silver labels",
            "tagging", "target", "entity_f1", "ner", "40 (XTREME-R 48)",
            "none stated",
            "Pan et al. 2017; Rahimi et al. 2019, https://arxiv.org/abs/1902.00193",
            "files: dev in 14 languages, part of train; hub: columns from secondary sources",
            labels=IOB,
            names=_IOB_NAMES,
            local=Local(
                {split: (f"{split}-{{code}}.tsv",) for split in ("train", "dev", "test")},
                word_tag("\t"),
                of.tags("words", "tags", source="wikiann"),
            ),
            hub=Hub(
                "google/xtreme", "PAN-X.{code}", {**_DEV, "test": ("test",)}, ("tokens", "ner_tags"),
                of.tags("tokens", "ner_tags", source="wikiann"),
            ),
        ),
        Task(
            "xquad",
            "XQuAD: a part of SQuAD 1.1's dev, translated",
            "span", "target", "span_f1", "span", "11 (XTREME-R 12)",
            "CC BY-SA 4.0",
            "Artetxe et al. 2020, https://arxiv.org/abs/1910.11856",
            "files: 5 languages, complete; hub: id seen, no titles there, so groups are contexts",
            local=Local({"test": ("xquad.{code}.json",)}, squad, of.spans("squad")),
            hub=Hub(
                "google/xquad", "xquad.{code}", {"test": ("validation",)},
                ("id", "context", "question", "answers"),
                of.spans("xquad", by_text=True),
            ),
        ),
        Task(
            "mlqa",
            "MLQA, question and context in one language",
            "span", "target", "span_f1", "span", "7",
            "CC BY-SA 3.0",
            "Lewis et al. 2020, https://arxiv.org/abs/1910.07475",
            "hub and files: layout from memory, not verified",
            local=Local(
                {
                    split: (f"{split}-context-{{code}}-question-{{code}}.json",
                            f"{split}/{split}-context-{{code}}-question-{{code}}.json")
                    for split in ("dev", "test")
                },
                squad,
                of.spans("mlqa", by_text=True),
            ),
            hub=Hub(
                "google/xtreme", "MLQA.{code}.{code}", {"dev": ("validation",), "test": ("test",)},
                ("id", "context", "question", "answers"),
                of.spans("mlqa", by_text=True),
            ),
        ),
        Task(
            "tydiqa",
            "TyDi QA, gold passages",
            "span", "target", "span_f1", "span", "9",
            "Apache-2.0",
            "Clark et al. 2020, https://arxiv.org/abs/2003.05002",
            "files: train en; dev as spread has no answers; hub (all languages in one): not offered",
            local=Local(
                {split: (f"tydiqa.goldp.{{code}}.{split}.json",) for split in ("train", "dev")},
                squad,
                of.spans("tydiqa", by_text=True),
            ),
        ),
        Task(
            "sib200",
            "SIB-200: the topic of a FLORES sentence",
            "pair", "target", "accuracy", "topic", "205",
            "Apache-2.0; the text is FLORES', CC BY-SA 4.0",
            "Adelani et al. 2024, https://arxiv.org/abs/2309.07445",
            "files: 10 languages, complete; hub: as lm-evaluation-harness and mteb read it",
            labels=_TOPICS,
            local=Local(
                {split: (f"{{code}}/{split}.tsv",) for split in ("train", "dev", "test")},
                partial(quoted, separator="\t"),
                of.single("text", "category", "index_id", source="sib200"),
            ),
            hub=Hub(
                "Davlan/sib200", "{code}", {**_DEV, "test": ("test",)}, ("index_id", "category", "text"),
                of.single("text", "category", "index_id", source="sib200"),
            ),
        ),
        Task(
            "xcopa",
            "XCOPA: cause or effect; no English, no training data",
            "choice", "target", "accuracy", "choice", "11",
            "CC BY 4.0",
            "Ponti et al. 2020, https://arxiv.org/abs/2005.00333",
            "files: complete; hub: id, splits as lm-evaluation-harness reads it",
            local=Local(
                {"dev": ("{code}/val.{code}.jsonl",), "test": ("{code}/test.{code}.jsonl",)},
                json_lines,
                of.xcopa,
            ),
            hub=Hub(
                "cambridgeltl/xcopa", "{code}", {"dev": ("validation",), "test": ("test",)},
                ("premise", "choice1", "choice2", "question", "label", "idx"),
                of.xcopa,
            ),
        ),
    )
}
