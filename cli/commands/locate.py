"""`crosslingual locate`: where in a fine-tuned model alignment was lost."""

from typing import TYPE_CHECKING

from ...analysis.options import LocateOptions
from ..generate import command
from ..messages import say
from ..shared import EncoderArgument

if TYPE_CHECKING:
    import pandas as pd


@command
def locate(base: EncoderArgument, options: LocateOptions) -> None:
    """Put each of two checkpoints' blocks into the other, and see where alignment goes and comes back.

    crosslingual locate ./my-model runs/trained/intermediate --corpus flores/dev --languages de,sw
    """
    from ...analysis.interventions import locate as located
    from ..progress import configure_notes

    configure_notes()
    result = located(base, **vars(options))
    means = result.by_swap()
    _show(means, "tuned", "the fine-tuned, with the base's")
    _show(means, "base", "the base, with the fine-tuned's")
    mixed = means[means["kind"] == "mixed"]
    said = ", ".join(f"{row.put_in} {row.value:.3f}" for row in mixed.itertuples())
    say(f"mixed, share of the fine-tuned: {said}")
    if options.out is not None:
        say(f"table: {options.out}/interventions.parquet")


def _show(means: "pd.DataFrame", host: str, title: str) -> None:
    own = means[means["host"] == host]
    alone = own.loc[own["kind"] == "none", "value"].iloc[0]
    say(f"{title} part alone, and parts 0 to it (0: before the blocks); without any {alone:.3f}")
    table = own[own["kind"].isin(["only", "up to"])].pivot_table(
        index="put_in", columns="kind", values="value", sort=False
    )
    for part, row in table.iterrows():
        say(f"  {part:>4}  {row['only']:.3f}  {row['up to']:.3f}")
