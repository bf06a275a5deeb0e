"""Words from treebanks to the table: what is trained on, what is tested, trees, and what is refused."""

import numpy as np
import pytest

from crosslingual.probes.classifiers.structural import tree_distances
from crosslingual.probes.control import make_controls
from crosslingual.probes.erasing import erase
from crosslingual.probes.material import DEV, TEST, TRAIN, load_material
from crosslingual.probes.probing import probe
from crosslingual.probes.setup import prepare
from tests.conftest import make_tiny

NOUNS, VERBS = ("sun", "rain", "day", "sea"), ("eats", "sees", "runs", "was")


def treebank(sentences, name, documents=0, heads=True):
    """Noun verb noun and a full stop: the verb is the root; every word has its number."""
    lines = []
    for i in range(sentences):
        if documents and i % documents == 0:
            lines.append(f"# newdoc id = d{i}")
        words = [NOUNS[i % 4], VERBS[i % 3], NOUNS[(i + 1) % 4], "."]
        lines += [f"# sent_id = {name}{i}", f"# text = {' '.join(words[:3])}."]
        for number, (word, upos, head) in enumerate(
            zip(words, ("NOUN", "VERB", "NOUN", "PUNCT"), (2, 0, 2, 2), strict=True), start=1
        ):
            feats = "Number=Sing" if upos == "NOUN" else "_"
            head_of = str(head) if heads else "_"
            lines.append(f"{number}\t{word}\t_\t{upos}\t_\t{feats}\t{head_of}\t_\t_\t_")
        lines.append("")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return make_tiny(tmp_path_factory.mktemp("words") / "tiny")


@pytest.fixture
def data(tmp_path):
    for folder in ("ewt", "pud", "masakhapos/swa"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "ewt/en_ewt-ud-dev.conllu").write_text(treebank(60, "e", documents=3))
    for code in ("en", "de"):
        (tmp_path / f"pud/{code}_pud.conllu").write_text(treebank(50, "p"))
    for split in ("train", "dev", "test"):
        lines = [f"{NOUNS[i % 4]} NOUN\n{VERBS[i % 3]} VERB\n\n" for i in range(20)]
        (tmp_path / f"masakhapos/swa/{split}.txt").write_text("".join(lines))
    return tmp_path


def test_train_and_dev_are_the_first_treebanks_the_test_the_last_ones(data):
    material = load_material("pos", data_dir=data)
    groups = {
        key: {group.split("/")[0] for group in part.groups} for key, part in material.parts.items()
    }
    assert groups["en", TRAIN] == groups["en", DEV] == {"ewt"} and groups["en", TEST] == {"pud"}
    assert groups["de", TRAIN] == {"pud"} and groups["sw", TEST] == {"masakhapos"}
    assert material.parts["de", TEST].groups == material.parts["en", TEST].groups, "parallel"
    assert material.of_words and set(material.classes) == {"NOUN", "VERB", "PUNCT"}
    some = material.parts["de", TEST].first.sentences
    assert all(one.context.text[one.context.start : one.context.end] == one.text for one in some)
    assert len(load_material("pos", data_dir=data, limit=3).parts["sw", TEST]) == 6, "whole sentences"
    assert set(load_material("number", data_dir=data).classes) == {"Sing"}, (
        "words without it are left out"
    )


def test_parts_of_speech(tiny, data, tmp_path):
    found = probe(tiny, "pos", data_dir=data, store=tmp_path / "s", layers="0,3", codelength=True)
    table = found.to_frame()
    assert set(table["test"]) == {"en", "de", "sw"} and (table["accuracy"] > 0.95).all()
    english = table[table["test"] == "en"]
    assert (english["control_kind"] == "type").all() and english["selectivity"].notna().all()
    assert (english["selectivity"] - (english["accuracy"] - english["control"])).abs().max() < 1e-12
    assert table.loc[table["test"] != "en", ["selectivity", "control", "bits"]].isna().all(axis=None)
    assert (english["compression"] > 2).all() and (english["compression_of_marginal"] > 1.5).all()
    assert (table["q"] >= table["p"]).all() and (table["p_holm"] >= table["q"]).all()


def test_words_of_one_letter_have_a_floor(tmp_path):
    (tmp_path / "pud").mkdir()
    (tmp_path / "pud/de_pud.conllu").write_text(treebank(60, "p"))
    material = load_material("pos", data_dir=tmp_path, languages="de")
    setup = prepare(
        material, "de", "linear", make_controls(material, ["de"], 0), codelength=False, seed=0
    )
    assert setup.reference["de"].mean() == 1, "a full stop is told by itself"


def test_words_are_erased_without_retrieval(tiny, data, tmp_path):
    found = erase(tiny, "pos", data_dir=data, languages="en,de", store=tmp_path / "s", layers="1")
    assert list(found.summary().columns.levels[0]) == ["accuracy"] and len(found.curves().axes) == 1
    with pytest.raises(ValueError, match="trees: edges are no classes"):
        erase(tiny, "trees", data_dir=data, store=tmp_path / "s")


def test_words_that_no_one_sees_are_left_out(data):
    swahili = data / "masakhapos/swa/test.txt"
    before = len(load_material("pos", data_dir=data).parts["sw", TEST])
    swahili.write_text(swahili.read_text() + "sun NOUN\n\u200b NOUN\n\n")
    assert len(load_material("pos", data_dir=data).parts["sw", TEST]) == before + 1


def test_trees(tiny, data, tmp_path, command):
    material = load_material("trees", data_dir=data, languages="en,de")
    labels = material.parts["de", TEST].labels[:4]
    heads = np.array([int(material.classes[label].split()[0]) for label in labels])
    assert tree_distances(heads)[0].tolist() == [0, 1, 2, 2]
    done = command(
        "probe", tiny, "--task", "trees", "--data-dir", data, "--languages", "en,de", "--layers", "3",
        "--store", tmp_path / "s", "--out", tmp_path / "r",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "trees, learnt in en, layer 3" in done.stdout
    table = probe(tiny, material, store=tmp_path / "s", layers="3").to_frame().set_index("test")
    assert (table["metric"] == "UUAS").all() and (table["majority"] == 1).all(), "neighbours are joined"
    assert (table["accuracy"] > 0.9).all() and table["spearman"].isna().all(), "four words: too short"
    assert table.loc["de", "n"] == 2 * table.loc["de", "groups"], "two edges a sentence"
    with pytest.raises(ValueError, match="edges have no codelength"):
        probe(tiny, material, store=tmp_path / "s", codelength=True)


def test_a_published_test_is_kept_whole_where_there_is_no_training(data):
    (data / "masakhapos/swa/train.txt").unlink()
    parts = load_material("pos", data_dir=data, languages="sw").parts
    assert len(parts["sw", TEST]) == 40 and len(parts["sw", TRAIN]) + len(parts["sw", DEV]) < 40


def test_sentences_that_are_no_trees(tiny, data, tmp_path, caplog):
    """A word that nobody sees is left out of words, but would make other trees of the rest."""
    path = data / "pud/de_pud.conllu"
    hidden = (
        path.read_text().replace("1\tsun", "1\t\u200b", 1).replace("# text = sun", "# text = \u200b", 1)
    )
    path.write_text(hidden)
    before = len(load_material("trees", data_dir=data).parts["en", TEST])
    assert "trees (de): 1 sentences with words that nobody sees are left out" in caplog.text
    assert before == len(load_material("trees", data_dir=data).parts["en", TEST])
    path.write_text(treebank(50, "p").replace("VERB\t_\t_\t0", "VERB\t_\t_\t1"))
    with pytest.raises(
        ValueError, match=r"trees \(de, .*\): sentence p\d+: the heads of 4 words are no tree"
    ):
        probe(tiny, "trees", data_dir=data, store=tmp_path / "s")


def test_what_treebanks_may_lack(tiny, data, tmp_path, caplog):
    with pytest.raises(ValueError, match="pos has no examples in fr: de, en, sw"):
        load_material("pos", data_dir=data, languages="en,fr")
    (tmp_path / "empty").mkdir()
    with pytest.raises(OSError, match="nothing of ewt/train there"):
        load_material("pos", data_dir=tmp_path / "empty")
    swahili = data / "masakhapos/swa/test.txt"
    swahili.write_text(swahili.read_text() + 4 * "ah INTJ\n\n")
    with pytest.raises(
        ValueError, match=r"pos \(sw\): 9% of the test is of classes that its training does not have"
    ):
        load_material("pos", data_dir=data)
    for split in ("train", "dev"):
        (data / f"masakhapos/swa/{split}.txt").unlink()
    swahili.write_text("ah INTJ\nsun NOUN\n\n" * 30)
    probe(tiny, "pos", data_dir=data, store=tmp_path / "s", layers="0")
    assert "tests are of classes that en has no examples of: they count as wrong" in caplog.text
    (data / "pud/de_pud.conllu").write_text(treebank(50, "p", heads=False))
    with pytest.raises(ValueError, match="p0: the treebank has no heads"):
        load_material("trees", data_dir=data)


@pytest.mark.slow
def test_real_treebanks(real_data):
    material = load_material("pos", data_dir=real_data, limit=20)
    assert len(material.languages) == 12 and len(material.classes) >= 15
    entities = load_material("ner", data_dir=real_data, limit=60, languages="en,de,sw")
    assert len(entities.classes) == 7 and len(entities.parts["en", TRAIN].groups) > 200
