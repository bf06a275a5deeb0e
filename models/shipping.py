"""The family as it comes with the package: weights in float16, card, checksums."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import torch
from transformers import AutoTokenizer, XLMRobertaForMaskedLM

from ..alignment.checkpoints.about import ABOUT, write_about
from ..alignment.runs.files import MARK, own_folder, remove_folder
from .card import make_card
from .curves import measure
from .family import save
from .recipe import Variant

CURVES = "curves.tsv"
KEYS = ["model", "dtype"]


def measure_all(variants: Sequence[Variant], data_dir: Path, out: Path) -> pd.DataFrame:
    """Write the curves of all encoders, and of those that are shipped in float16, too.

    Args:
        variants: made already, in `out/made`.
        data_dir: holds the corpora.
        out: where the family is made; those shipped are written there, without card.
    """
    found = []
    for variant in variants:
        made = out / "made" / variant.name
        folders = {"float32": made}
        if _shipped(variant):
            folders["float16"] = out / variant.name
            _round(made, folders["float16"])
        for dtype, folder in folders.items():
            curves = measure(folder, data_dir, out / "runs" / dtype)
            found.append(curves.assign(model=variant.name, dtype=dtype))
    table = pd.concat(found, ignore_index=True).round(4)  # cards are of what is written
    table = table[[*KEYS, *(name for name in table.columns if name not in KEYS)]]
    table.to_csv(out / CURVES, sep="\t", index=False)
    return table


def ship(variants: Sequence[Variant], curves: pd.DataFrame, out: Path) -> Iterator[Path]:
    """Write card and checksums of those that come with the package, and yield their folders."""
    for variant in filter(_shipped, variants):
        folder = out / variant.name
        (folder / "README.md").write_text(make_card(variant, curves, out / "made", folder), "utf-8")
        (folder / MARK).unlink()  # crosslingual.json marks it from here on
        write_about(folder, {"family": "pocket", "stage": "pretrained", "seed": variant.seed})
        yield folder


def _shipped(variant: Variant) -> bool:
    return variant.paired and not variant.seed


def _round(made: Path, folder: Path) -> None:
    remove_folder(folder, ABOUT)
    own_folder(folder)
    model = XLMRobertaForMaskedLM.from_pretrained(made, dtype=torch.float16)
    save(model, AutoTokenizer.from_pretrained(made), folder)
