"""`crosslingual score`: the main job."""

from ...alignment.scoring.options import ScoreOptions
from ..generate import command
from ..messages import say
from ..shared import Json, SeveralArgument, run_folder


@command
def score(checkpoint: SeveralArgument, options: ScoreOptions, as_json: Json = False) -> None:
    """Score a checkpoint on a corpus: every layer, every language, with floors and intervals.

    crosslingual score ./my-model

    crosslingual score sentence-transformers/LaBSE --corpus flores --data-dir data --languages de,sw

    crosslingual score family:xlm-r --corpus tatoeba --data-dir data

    crosslingual score ./my-model --corpus files --source de=news.de --target en=news.en
    """
    from ...alignment.runs.files import read_table
    from ...alignment.scoring.map_decomposition import STEPS
    from ...analysis.results import score as scored
    from ..progress import reported
    from ..summary import decomposition, over_layers, score_summary, several_summary
    from ..tsv import write_tsv

    folder = run_folder(options.out, checkpoint, str(options.corpus).replace("/", "-"))
    with reported() as progress:
        settings = {**vars(options), "out": folder, "progress": progress}
        table = scored(checkpoint, **settings).table
    if as_json:
        say(table.to_json(orient="records", lines=True, force_ascii=False), nl=False)
        return
    several = len(table.groupby(["checkpoint", "revision"])) > 1
    say(several_summary(table) if several else score_summary(table))
    if set(STEPS) <= set(table["map"]) and not several:
        say(decomposition(read_table(folder / "decomposition.parquet"), table))
    if options.protocol == "mexa" and not several:
        say(over_layers(read_table(folder / "aggregates.parquet")))
    say(f"table: {folder / 'scores.parquet'}; next: crosslingual heatmap {folder}, report {folder}")
    if options.errors and not several:
        missed = read_table(folder / "errors.parquet")
        write_tsv(missed, folder / "errors.tsv")
        say(f"errors: {len(missed)} missed translations in {folder / 'errors.tsv'}")
