"""Seconds and peak memory of comparing scored checkpoints: the last step of a study, on made-up cells.

    retention/<cells>   seconds and MB of reading and comparing so many cells; `a cell` in ms

A study of one scale and 100 languages is made, checkpoint by checkpoint, with a corpus to report on and
one to choose layers on; every cell has 1,000 sentences, 13 layers, and 4 scores a layer.

    python benchmarks/retention.py [--cells 10000] [--keep FOLDER]
"""

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from encode import hardware

from crosslingual.alignment.runs.files import file_checksum, write_json, write_parquet
from crosslingual.alignment.runs.folder import open_run
from crosslingual.alignment.runs.table import COLUMNS
from crosslingual.analysis.study.findings import retention_table
from crosslingual.analysis.study.plan import Plan, make_plan
from crosslingual.analysis.study.spec import CorpusPart, Pretrained, Primary, Study, Treatment

LAYERS, SENTENCES, LANGUAGES = 13, 1000, 100
MEANS = ("accuracy",)
OTHERS = ("debiased_linear_cka",)
WAYS = ("forward", "backward", "mean")
VARIANTS = 6  # different outcomes; cells share them, for what is timed is not the making


def study(checkpoints: int) -> Study:
    """A study of so many checkpoints and their base, which nobody will train."""
    tag = "one/base"
    return Study(
        name="bench",
        families={"one": {"base": Pretrained("nowhere", parameters=2e8, parameters_body=1e8)}},
        treatments={"tuned": Treatment(checkpoints={tag: ("nowhere",) * checkpoints})},
        seeds=tuple(range(checkpoints)),
        test=(CorpusPart("tatoeba"),),
        dev=CorpusPart("flores/dev"),
        margin=0.05,
        primary=Primary("tatoeba"),
    )


def items(rng: np.random.Generator) -> pd.DataFrame:
    """What became of the sentences: better from layer to layer, then worse again."""
    ids = np.array([f"sentence.{i}" for i in range(SENTENCES)], dtype=object)
    easy, parts = rng.normal(size=SENTENCES), []
    for layer in range(LAYERS):
        for way in WAYS[:2]:
            right = easy + rng.normal(size=SENTENCES) < 0.3 * min(layer, LAYERS - layer)
            rank = np.where(right, 1, rng.integers(2, 50, SENTENCES))
            head = {"layer": np.int16(layer), "direction": way, "id": ids}
            head |= {"group": np.arange(SENTENCES, dtype=np.int32), "rank": rank.astype(np.int32)}
            head |= {"ties": np.int32(0), "gold_score": rng.random(SENTENCES).astype(np.float32)}
            head |= {"best_wrong": rng.permutation(ids), "best_wrong_score": np.float32(0.1)}
            parts.append(pd.DataFrame(head | {"accuracy": right * 1.0}))
    return pd.concat(parts, ignore_index=True)


def scores(found: pd.DataFrame) -> pd.DataFrame:
    """The scores of these outcomes, with all columns."""
    rows = []
    for layer, part in found.groupby("layer"):
        values = part.groupby("direction")[list(MEANS)].mean()
        for name in MEANS:
            of = {way: values.loc[way, name] for way in WAYS[:2]}
            of["mean"] = (of["forward"] + of["backward"]) / 2
            rows += [(layer, name, way, value) for way, value in of.items()]
        rows += [(layer, name, "both", 0.5) for name in OTHERS]
    table = pd.DataFrame(rows, columns=["layer", "measure", "direction", "value"])
    known = {
        "null": 0.001,
        "surface": 0.05,
        "n": SENTENCES,
        "parameters": 2 * 10**8,
        "parameters_body": 10**8,
    }
    known |= {"target": "en", "unit": "sentence", "pooling": "mean", "map": "none"}
    whole = table.assign(**known).reindex(columns=list(COLUMNS))
    for name, kind in COLUMNS.items():
        if kind == "string":
            whole[name] = whole[name].astype(object).fillna("")
    return whole.astype(dict(COLUMNS))


def moves(rng: np.random.Generator) -> pd.DataFrame:
    """How sentences move the scores that are no means."""
    rows = [(name, "both", layer) for name in OTHERS for layer in range(LAYERS)]
    table = pd.DataFrame(rows, columns=["measure", "direction", "layer"]).astype({"layer": "int16"})
    drawn = [rng.normal(size=SENTENCES) / SENTENCES for _ in rows]
    return table.assign(interval="jackknife", moves=drawn)


def make(plan: Plan) -> None:
    """Write the run folders of a study; outcomes are links to a few files."""
    rng = np.random.default_rng(0)
    variants = [(made, scores(made), moves(rng)) for made in (items(rng) for _ in range(VARIANTS))]
    first: dict[tuple[str, int], Path] = {}
    for number, subject in enumerate(plan.subjects):
        for part in plan.parts:
            folder = plan.run(subject, part)
            corpus, _, split = part.corpus.partition("/")
            with open_run(folder, {}, {}) as run:
                for language in range(LANGUAGES):
                    which = (number + language) % VARIANTS
                    named = {
                        "checkpoint": subject.name,
                        "corpus": corpus,
                        "split": split,
                        "source": f"l{language}",
                    }
                    key = f"{language:032d}"
                    table = variants[which][1].assign(**named)
                    sums = {"cells": write_parquet(table, folder / "cells" / f"{key}.parquet")}
                    for name, one in (("items", 0), ("moves", 2)):
                        path = folder / name / f"{key}.parquet"
                        if (name, which) not in first:
                            first[name, which] = path
                            write_parquet(variants[which][one], path)
                        else:
                            os.link(first[name, which], path)
                        sums[name] = file_checksum(path)
                    write_json(folder / "cells" / f"{key}.json", sums)
                run.write("scores", table)


def main() -> None:
    """Make the cells, then read and compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    checkpoints = asked.cells // (2 * LANGUAGES) - 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        plan = make_plan(study(checkpoints), folder)
        if not (folder / "scores").is_dir():
            make(plan)
        before, start = peak(), time.perf_counter()
        table = retention_table(plan, asked.processes)
        seconds = time.perf_counter() - start
        found = {
            "seconds": round(seconds, 1),
            "MB": round(peak()),
            "before MB": round(before),
            "rows": len(table),
        }
        found |= {"a cell": f"{seconds / asked.cells * 1e3:.1f} ms"}
        print(json.dumps({f"retention/{asked.cells}": found, "hardware": hardware()}, indent=1))


def peak() -> float:
    """MB of this process and the largest that it began."""
    of = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(one).ru_maxrss for one in of) / 1024


if __name__ == "__main__":
    main()
