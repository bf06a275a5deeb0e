"""The corpora: what each is, where it comes from, how it is read. Tables to read."""

from dataclasses import dataclass

from . import bucc, flores, hub_bitexts, lareqa, ntrex, pocket, pud, tatoeba, tico19, words
from .reader import Haystacks, Reader


@dataclass(frozen=True)
class Corpus:
    """What is known of a corpus."""

    name: str
    title: str
    reader: Reader | Haystacks
    splits: tuple[str, ...]  # the first is the default
    languages: int
    sentences: str
    groups: str
    licence: str
    citation: str
    hub: str  # id on the hub, or "" where there is none
    verified: str  # what was checked against real files, and what was not


CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "pocket",
            "built-in sample of everyday and newspaper sentences",
            pocket.READER,
            ("test",),
            12,
            "218",
            "58 small texts",
            "CC0-1.0",
            "written for this project; see crosslingual/data/pocket/README.md",
            "",
            "complete; machine-written, unreviewed by native speakers",
        ),
        Corpus(
            "tatoeba",
            "Tatoeba similarity-search test set (LASER v1)",
            tatoeba.READER,
            ("test",),
            113,
            "104 to 1,000 a pair; 88,877 pairs in 112 languages with English",
            "none",
            "CC BY 2.0 FR (Tatoeba's default)",
            "Artetxe & Schwenk 2019, https://arxiv.org/abs/1812.10464",
            tatoeba.HUB,
            "folder: all 112 pairs; hub: as mteb reads it",
        ),
        Corpus(
            "flores",
            "FLORES-200 translations of Wikimedia text",
            flores.READER,
            ("devtest", "dev"),
            204,
            "1,012 (devtest), 997 (dev)",
            "article (URL in the metadata file), else blocks of 5",
            "CC BY-SA 4.0",
            "NLLB team 2022, https://arxiv.org/abs/2207.04672",
            flores.HUB,
            "folder: 22 languages of devtest, 15 of dev; hub: devtest, no articles, as mteb reads it",
        ),
        Corpus(
            "flores-plus",
            "FLORES+, which goes on with FLORES-200",
            flores.PLUS_READER,
            ("devtest", "dev"),
            222,
            "1,012 (devtest), 997 (dev)",
            "article (URL)",
            "CC BY-SA 4.0",
            "Open Language Data Initiative, https://huggingface.co/datasets/openlanguagedata/flores_plus",
            flores.PLUS,
            "hub (gated: needs an account's consent): columns not verified",
        ),
        Corpus(
            "ntrex",
            "NTREX-128 translations of newstest2019",
            ntrex.READER,
            ("test",),
            128,
            "1,997",
            "123 documents (DOCUMENT_IDS.tsv)",
            "CC BY-SA 4.0",
            "Federmann et al. 2022, https://aclanthology.org/2022.sumeval-1.4",
            ntrex.HUB,
            "folder: 25 languages; hub: no documents there, as mteb reads it",
        ),
        Corpus(
            "pud",
            "Parallel Universal Dependencies treebanks (sentence text)",
            pud.READER,
            ("test",),
            23,
            "1,000",
            "documents (newdoc id)",
            "CC BY-SA 3.0 or 4.0, by treebank",
            "Zeman et al. 2017, https://aclanthology.org/K17-3001",
            pud.HUB,
            "folder: 11 languages; hub: id, release and sent_id as others read them, no documents there",
        ),
        Corpus(
            "tico19",
            "TICO-19 translations of text about COVID-19",
            tico19.READER,
            ("test", "dev"),
            36,
            "2,100 (test), 971 (dev)",
            "documents (tico19-test.info)",
            "CC0-1.0",
            "Anastasopoulos et al. 2020, https://arxiv.org/abs/2007.01788",
            "",
            "folder: test in 8 languages, dev from memory; no hub copy is known",
        ),
        Corpus(
            "in22-gen",
            "IN22-Gen: English and 22 languages of India, text of many domains",
            hub_bitexts.READERS["in22-gen"],
            ("test",),
            23,
            "1,024",
            "none",
            "CC BY 4.0",
            "Gala et al. 2023, https://openreview.net/forum?id=vfT4YuzAYA",
            hub_bitexts.IN22_GEN.id,
            "hub only: id, revision and columns as mteb reads them",
        ),
        Corpus(
            "in22-conv",
            "IN22-Conv: English and 22 languages of India, conversations",
            hub_bitexts.READERS["in22-conv"],
            ("test",),
            23,
            "1,503",
            "none",
            "CC BY 4.0",
            "Gala et al. 2023, https://openreview.net/forum?id=vfT4YuzAYA",
            hub_bitexts.IN22_CONV.id,
            "hub only: id, revision and columns as mteb reads them",
        ),
        Corpus(
            "biblenlp",
            "BibleNLP: verses of the Bible with English",
            hub_bitexts.READERS["biblenlp"],
            ("train",),
            829,
            "what of the Bible is translated; mteb takes the first 256",
            "none",
            "CC BY-SA 4.0, or by translation",
            "Akerman et al. 2023, https://arxiv.org/abs/2304.09919",
            hub_bitexts.BIBLE.id,
            "hub only: id, revision and columns as mteb reads them",
        ),
        Corpus(
            "iwslt2017",
            "IWSLT 2017: talks (TED), with English",
            hub_bitexts.READERS["iwslt2017"],
            ("validation",),
            10,
            "about 900 a pair",
            "none",
            "CC BY-NC-ND 4.0",
            "Cettolo et al. 2017, https://aclanthology.org/2017.iwslt-1.1",
            hub_bitexts.IWSLT.id,
            "hub only: id, revision and columns as mteb reads them",
        ),
        Corpus(
            "nusax",
            "NusaX: reviews in 11 languages of Indonesia, with English",
            hub_bitexts.READERS["nusax"],
            ("train",),
            12,
            "500",
            "none",
            "CC BY-SA 4.0",
            "Winata et al. 2023, https://arxiv.org/abs/2205.15960",
            hub_bitexts.NUSAX.id,
            "hub only: id, revision and columns as mteb reads them",
        ),
        Corpus(
            "webfaq",
            "WebFAQ: questions of web pages, with English",
            hub_bitexts.READERS["webfaq"],
            ("default",),
            48,
            "268 to 37,348 a pair",
            "none",
            "CC BY 4.0",
            "Dinzinger et al. 2025, https://arxiv.org/abs/2502.20936",
            hub_bitexts.WEBFAQ.id,
            "hub only: id, revision and columns as mteb reads them",
        ),
        Corpus(
            "words",
            "XLing-Eval's bilingual lexicons: words, with many-to-many gold",
            words.READER,
            ("test", "train"),
            8,
            "2,000 pairs (test), up to 5,000 (train), each with English",
            "words that share translations",
            "none stated",
            "Glavaš et al. 2019, https://aclanthology.org/P19-1070",
            "",
            "folder: de fi fr it ru tr (upstream has hr too); no hub copy is known",
        ),
        Corpus(
            "lareqa",
            "XQuAD's questions and the sentences of all its languages, one of each right: mAP@20",
            lareqa.READER,
            ("test",),
            12,
            "1,190 questions a language",
            "questions that share right sentences",
            "CC BY-SA 4.0",
            "Roy et al. 2020, https://arxiv.org/abs/2004.05484",
            "",
            "folder: made of XQuAD's files (5 languages verified) with our own split into sentences",
        ),
    )
}
# corpora for `mine`, in which translations are to be found
HAYSTACKS: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "bucc",
            "BUCC 2018 bitext mining: haystacks for `crosslingual mine`, not bitexts",
            bucc.READER,
            ("sample", "training", "test"),
            5,
            "zh-en sample: 8,624 and 13,589 with 257 gold pairs",
            "none",
            "none stated (the organisers' terms)",
            "Zweigenbaum et al. 2018, https://comparable.limsi.fr/bucc2018",
            bucc.HUB,
            "folder: the zh-en sample (where XTREME's copies say dev); hub: training, de fr ru zh, "
            "as mteb reads it",
        ),
    )
}
