"""Labelled tasks: real files whole, the hub's tables as local parquet, and every way a file can be wrong."""

import gzip
import json

import pytest

from crosslingual.data import hub, tasks
from crosslingual.data.tasks import TASKS, Choice, Pair, Span, Tagged, load_task
from crosslingual.data.tasks.examples import KINDS

# examples by language, and groups of the first, as the corpora's own notes count them
REAL = [
    ("anli", "dev", {"en": 3198}, None),
    ("rte", "train", {"en": 2490}, None),
    ("rte", "dev", {"en": 277}, None),
    ("xnli", "dev", dict.fromkeys("ar de en es fr hi ru sw th tr zh".split(), 2490), 830),
    ("xnli", "test", {"en": 5010, "sw": 5010}, 1670),
    ("pawsx", "dev", dict.fromkeys("de en fr zh".split(), 2000), 2000),
    ("hellaswag", "dev", {"en": 4000}, None),
    ("cosmosqa", "dev", {"en": 2985}, None),
    ("commonsenseqa", "train", {"en": 3000}, 3000),
    ("commonsenseqa", "dev", {"en": 1221}, 1221),
    ("ewt", "dev", {"en": 2001}, 318),
    ("pud", "test", dict.fromkeys("ar de en es fi fr hi it ru tr zh-Hant".split(), 1000), 1000),
    ("masakhapos", "test", {"sw": 553}, 553),
    ("wikiann", "train", {"en": 3000}, 3000),
    ("xquad", "test", dict.fromkeys("ar de en ru zh".split(), 1190), 48),
    ("tydiqa", "train", {"en": 3696}, None),
    ("xcopa", "test", dict.fromkeys("et ht id it qu sw ta th tr vi zh".split(), 500), 500),
]


@pytest.mark.parametrize(("name", "split", "counts", "groups"), REAL)
def test_real_files(real_data, name, split, counts, groups):
    found = load_task(name, split, data_dir=real_data)
    assert {data.language: len(data.examples) for data in found} == counts
    for data in found:
        if groups is not None:
            assert len({example.group for example in data.examples}) == groups


@pytest.mark.parametrize("name", ["xnli", "pud", "xquad", "xcopa"])
def test_groups_of_parallel_data_are_the_same_in_every_language(real_data, name):
    """Split by any of them, and no test row translates a training row."""
    split = {"xnli": "dev"}.get(name, "test")
    first, *rest = load_task(name, split, data_dir=real_data)
    groups = {example.group for example in first.examples}
    assert rest
    assert all({example.group for example in data.examples} == groups for data in rest)


def test_withheld_answers_are_noticed(real_data):
    """The spread copies of TyDi QA's dev have an empty answer everywhere: every score on them would be 0."""
    with pytest.raises(ValueError, match=r"qas\[0\]: no answer there; are this split's labels withheld"):
        load_task("tydiqa", "dev", data_dir=real_data)


def test_a_premise_is_one_group(real_data):
    data = load_task("xnli", "dev", languages="en", data_dir=real_data)[0]
    by_group = {}
    for example in data.examples:
        by_group.setdefault(example.group, set()).add(example.first)
    assert all(len(premises) == 1 for premises in by_group.values())


def test_anli_plus_is_its_parts(real_data, tmp_path):
    (tmp_path / "anli").mkdir()
    row = {"uid": "1", "premise": "A b.", "hypothesis": "C d.", "label": "e"}
    (tmp_path / "anli" / "r1_train.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "mnli").mkdir()
    (tmp_path / "mnli" / "train.tsv").write_text("gold_label\tsentence1\tsentence2\nneutral\tp q\tr s\n")
    (tmp_path / "snli").mkdir()
    rows = [
        {"sentence1": "x", "sentence2": "y", "gold_label": label} for label in ("-", "contradiction")
    ]
    (tmp_path / "snli" / "snli_1.0_train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (data,) = load_task("anli+", "train", data_dir=tmp_path)
    assert [example.label for example in data.examples] == [0, 1, 2], "- has no label and is left out"


# exactly the hub's columns, with the types they have there
PAIR = {"premise": ["a b", "c d"], "hypothesis": ["e f", "g h"], "label": [2, 0]}
QA = {
    "id": ["1", "2"],
    "title": ["T", "T"],
    "context": ["the answer is here", "none"],
    "question": ["where?", "who?"],
    "answers": [{"text": ["here"], "answer_start": [14]}, {"text": [], "answer_start": []}],
}
ANSWERED = QA | {"answers": [QA["answers"][0], {"text": ["none"], "answer_start": [0]}]}
HUB = {
    "anli": (PAIR | {"uid": ["1", "2"], "reason": ["", ""]}, "train"),
    "snli": (PAIR, "train"),
    "mnli": (PAIR | {"idx": [0, 1]}, "train"),
    "xnli": (PAIR, "test"),
    "rte": ({"sentence1": ["a", "b"], "sentence2": ["c", "d"], "label": [0, 1], "idx": [0, 1]}, "train"),
    "qqp": ({"question1": ["a", "b"], "question2": ["c", "d"], "label": [0, 1], "idx": [0, 1]}, "train"),
    "pawsx": ({"id": [1, 2], "sentence1": ["a", "b"], "sentence2": ["c", "d"], "label": [0, 1]}, "test"),
    "squad": (ANSWERED, "train"),
    "squad2": (QA, "train"),
    "xquad": ({key: ANSWERED[key] for key in ("id", "context", "question", "answers")}, "test"),
    "mlqa": (ANSWERED, "test"),
    "hellaswag": (
        {
            "ind": [1, 2], "activity_label": ["A", "B"], "ctx_a": ["x", "y"], "ctx_b": ["", ""],
            "ctx": ["x", "y"], "endings": [["a", "b", "c", "d"]] * 2, "source_id": ["s1", "s2"],
            "split": ["train"] * 2, "split_type": ["indomain"] * 2, "label": ["3", "0"],
        },
        "train",
    ),
    "cosmosqa": (
        {"id": ["1", "2"], "context": ["c", "d"], "question": ["q", "r"], "label": [3, 0]}
        | {f"answer{i}": ["a", "b"] for i in range(4)},
        "train",
    ),
    "commonsenseqa": (
        {
            "id": ["1", "2"], "question": ["q", "r"], "question_concept": ["c", "d"],
            "choices": [{"label": list("ABCDE"), "text": list("vwxyz")}] * 2, "answerKey": ["D", "A"],
        },
        "train",
    ),
    "udpos": ({"tokens": [["a", "b"], ["c"]], "pos_tags": [[7, 15], [0]]}, "test"),
    "wikiann": ({"tokens": [["a", "b"], ["c"]], "ner_tags": [[1, 2], [0]], "langs": [["en"] * 2, ["en"]]}, "test"),
    "sib200": ({"index_id": [7, 8], "text": ["a", "b"], "category": ["travel", "science/technology"]}, "test"),
    "xcopa": (
        {
            "premise": ["p", "q"], "choice1": ["a", "b"], "choice2": ["c", "d"], "question": ["cause", "effect"],
            "label": [1, 0], "idx": [0, 1], "changed": [False, True],
        },
        "test",
    ),
}  # fmt: skip
CLASSES = {
    "premise": None,
    "pos_tags": "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X _".split(),
    "ner_tags": "O B-PER I-PER B-ORG I-ORG B-LOC I-LOC".split(),
}
EXPECTED = {
    "pair": lambda e: e.label,
    "choice": lambda e: e.label,
    "span": lambda e: len(e.answers),
    "tagging": lambda e: e.tags[0],
}


@pytest.mark.parametrize("name", [name for name, task in TASKS.items() if task.hub is not None])
def test_hub_form(name, tmp_path, monkeypatch):
    import datasets

    columns, split = HUB[name]
    table = datasets.Dataset.from_dict(columns)
    for column, names in CLASSES.items():
        if column in columns and names:
            table = table.cast_column(column, datasets.Sequence(datasets.ClassLabel(names=names)))
    table.to_parquet(str(tmp_path / "t.parquet"))
    real, asked = datasets.load_dataset, []

    def local(hub_id, config, *, split, revision):
        asked.append((hub_id, config, split))
        path = str(tmp_path / "t.parquet")
        return real("parquet", data_files=path, split="train", cache_dir=str(tmp_path))

    monkeypatch.setattr(datasets, "load_dataset", local)
    task = TASKS[name]
    languages = "de" if "{code}" in task.hub.config else "all"
    (data,) = load_task(name, split, languages=languages)
    there = len(task.hub.splits[split])
    code = task.hub.names.get(languages, languages)
    assert asked == [
        (task.hub.id, task.hub.config.replace("{code}", code), each) for each in task.hub.splits[split]
    ]
    assert data.language == (languages if "{code}" in task.hub.config else "en")
    found = [EXPECTED[task.kind](example) for example in data.examples][:2]
    assert len(data.examples) == 2 * there
    assert (
        found
        == {
            "pair": {"sib200": [1, 0]}.get(name, [2, 0] if "premise" in columns else [0, 1]),
            "choice": {"xcopa": [1, 0]}.get(name, [3, 0]),
            "span": [1, 0] if name == "squad2" else [1, 1],
            "tagging": [7 if name == "udpos" else 1, 0],
        }[task.kind]
    )
    table.remove_columns(task.hub.columns[-1]).to_parquet(str(tmp_path / "t.parquet"))
    hub._table.cache_clear()
    with pytest.raises(ValueError, match=f"no column '{task.hub.columns[-1]}'"):
        load_task(name, split, languages=languages)


def write(folder, name, file, text):
    (folder / name).mkdir(exist_ok=True)
    (folder / name / file).write_text(text, encoding="utf-8")


def test_formats(tmp_path):
    write(tmp_path, "cosmosqa", "train.csv",
          'id,context,question,answer0,answer1,answer2,answer3,label\r\n1,"a ""b"", c",q?,w,x,y,z,2\r\n')  # fmt: skip
    (choice,) = load_task("cosmosqa", "train", data_dir=tmp_path)[0].examples
    assert choice == Choice("1", choice.group, 'a "b", c q?', ("w", "x", "y", "z"), 2)
    conllu = "# newdoc id = d\n# sent_id = s1\n1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\tde\tADP\tIN\t_\t0\troot\t_\t_\n2\tle\tle\tDET\tDT\t_\t1\tdet\t_\t_\n2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n\n# sent_id = s2\n1\tOh\toh\tINTJ\tUH\t_\t0\troot\t_\t_\n"
    write(tmp_path, "ewt", "en_ewt-ud-train.conllu", conllu)
    first, second = load_task("ewt", "train", data_dir=tmp_path)[0].examples
    assert (first.words, first.group, second.id, second.group) == (("de", "le"), "ewt/d", "s2", "ewt/d")
    data = load_task("ewt-xpos", "train", data_dir=tmp_path)[0]
    assert data.labels == ("DT", "IN", "UH"), "open label sets are those of the training data"
    with gzip.open(tmp_path / "ewt" / "en_ewt-ud-dev.conllu.gz", "wt") as stream:
        stream.write("1\tNo\tno\tINTJ\tXX\t_\t0\troot\t_\t_\n")
    with pytest.raises(ValueError, match=r"dev.conllu.gz:1: label 'XX' is not in the map"):
        load_task("ewt-xpos", "dev", data_dir=tmp_path, labels=data.labels)


CONLLU = """# sent_id = s1
# text = Allons-y au lac.
1\tAllons\taller\tVERB\t_\tNumber=Sing|Person=2\t0\troot\t_\tSpaceAfter=No
2\t-y\ty\tPRON\t_\t_\t1\tobj\t_\t_
3-4\tau\t_\t_\t_\t_\t_\t_\t_\t_
3\tà\tà\tADP\t_\t_\t5\tcase\t_\t_
4\tle\tle\tDET\t_\tNumber=Sing\t5\tdet\t_\t_
5\tlac\tlac\tNOUN\t_\tNumber=Sing\t1\tobl\t_\tSpaceAfter=No
5.1\tx\t_\t_\t_\t_\t_\t_\t_\t_
6\t.\t.\tPUNCT\t_\t_\t1\tpunct\t_\t_
"""


def test_words_of_a_treebank_have_their_places_in_the_text(tmp_path):
    write(tmp_path, "pud", "fr_pud.conllu", CONLLU)
    data = load_task("pud", "test", data_dir=tmp_path)[0]
    (example,) = data.examples
    assert [example.text[a:b] for a, b in example.spans] == ["Allons", "-y", "au", "au", "lac", "."]
    assert example.heads == (0, 1, 5, 5, 1, 1) and example.feats[0] == "Number=Sing|Person=2"
    assert [data.labels[tag] for tag in example.tags[2:4]] == ["ADP", "DET"]
    for wrong, message in [
        (CONLLU.replace("lac.", "lac !"), "conllu:3: the word '.' does not follow in the text: '!'"),
        (CONLLU.replace("lac.", "lac. Non"), "conllu:3: the text goes on behind the last word: ' Non'"),
        (CONLLU.replace("5\tcase", "9\tcase"), "conllu:3: a head is word 9 of 6"),
    ]:
        write(tmp_path, "pud", "fr_pud.conllu", wrong)
        with pytest.raises(ValueError, match=message):
            load_task("pud", "test", data_dir=tmp_path)


SQUAD = '{"data":[{"title":"T","paragraphs":[{"context":"ab cd","qas":[{"id":"1","question":"q","answers":[{"text":"cd","answer_start":%d}]}]}]}]}'

WRONG = [
    ("rte", "train.tsv", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\n", r"train.tsv:2: 3 columns, expected 4"),
    ("rte", "train.tsv", "index\tsentence1\tsentence2\n0\ta\tb\n", r"train.tsv:2: no column 'label'; there are index"),
    ("rte", "train.tsv", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailmnt\n", r"train.tsv:2: label 'entailmnt' is not in the map: did you mean entailment"),
    ("rte", "train.tsv", "index\tsentence1\tsentence2\tlabel\n0\t \tb\tentailment\n", r"train.tsv:2: an empty text"),
    ("rte", "train.tsv", "index\tsentence1\tsentence2\tlabel\n", r"rte/train \(en\): no examples there"),
    ("squad", "train-v1.1.json", SQUAD % 2, r"qas\[0\]: the answer 'cd' is not in its context at character 2"),
    ("squad", "train-v1.1.json", '{"data": 3}', r"train-v1.1.json: not a SQuAD file"),
    ("hellaswag", "train.jsonl", '{"ctx": "a", "endings": ["b", "c"], "label": 2}\n', r"train.jsonl:1: label 2 is none of its 2 options"),
    ("hellaswag", "train.jsonl", '{"ctx": "a", "endings": ["b"], "label": 0}\n', r"train.jsonl:1: 1 options"),
    ("hellaswag", "train.jsonl", "{ctx}\n", r"train.jsonl:1: no JSON object"),
    ("wikiann", "train-en.tsv", "a\tO\nb O\n", r"train-en.tsv:2: not a word"),
    ("wikiann", "train-en.tsv", "a\tO\n\nb\tB-GPE\n", r"train-en.tsv:3: label 'B-GPE' is not in the map"),
    ("ewt", "en_ewt-ud-train.conllu", "1\ta\n", r"conllu:1: 2 columns; CoNLL-U has 10"),
    ("xcopa", "en/test.en.jsonl", "", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "text", "message"), [w for w in WRONG if w[3]])
def test_wrong_files_end_in_one_line(tmp_path, name, file, text, message):
    write(tmp_path, name, file, text)
    with pytest.raises(ValueError, match=message):
        load_task(name, "train", data_dir=tmp_path)


def test_wrong_names(tmp_path):
    with pytest.raises(ValueError, match="unknown task 'hellaswg': did you mean hellaswag"):
        load_task("hellaswg", "train")
    with pytest.raises(ValueError, match="unknown split 'tran': did you mean train"):
        load_task("rte", "tran")
    with pytest.raises(OSError, match=r"nothing of rte/train there \(train.tsv\)"):
        load_task("rte", "train", data_dir=tmp_path)
    with pytest.raises(OSError, match="ccg is on no hub"):
        load_task("ccg", "train")
    with pytest.raises(ValueError, match="`languages` must name them"):
        load_task("xnli", "test")


def test_the_table_is_complete():
    for name, task in TASKS.items():
        assert name == task.name and task.kind in KINDS
        assert task.parts or task.local or task.hub
        assert (task.kind == "pair") <= bool(task.labels)
        assert all(part in TASKS and TASKS[part].labels == task.labels for part in task.parts)
        labels = {t.labels for t in TASKS.values() if t.head == task.head}
        assert len(labels) == 1, "tasks of one head group have one label set"
    nine = [t.name for t in TASKS.values() if t.role == "intermediate"]
    assert {
        "anli+",
        "mnli",
        "qqp",
        "squad",
        "squad2",
        "hellaswag",
        "ccg",
        "cosmosqa",
        "commonsenseqa",
    } <= set(nine)
    assert {Pair, Choice, Span, Tagged} == {
        getattr(tasks, name) for name in ("Pair", "Choice", "Span", "Tagged")
    }
