"""`crosslingual erase`: what a layer still does once a concept is linearly gone from it."""

from ...probes.options import EraseOptions
from ..generate import command
from ..messages import say
from ..shared import EncoderArgument, run_folder


@command
def erase(checkpoint: EncoderArgument, options: EraseOptions) -> None:
    """Erase a concept linearly (LEACE) from every layer; probe again, retrieve translations again.

    crosslingual erase ./my-model --corpus flores --data-dir ./corpora
    """
    from ...alignment.drawing import save
    from ...probes.erasing import erase as erased
    from ..progress import reported

    folder = run_folder(options.out, checkpoint, "erase", str(options.task))
    with reported() as progress:
        result = erased(checkpoint, **{**vars(options), "out": folder, "progress": progress})
    frame = result.to_frame()
    gone = frame[frame["erased"] == "leace"].iloc[0]
    say(
        f"{gone['task']}: {gone['rank']} directions erased, fitted on {gone['n_train']} examples; best "
        f"constant answer {frame['majority'].mean():.3f}; means over {frame['test'].nunique()} languages"
    )
    say(result.summary().to_string(float_format=lambda value: f"{value:.3f}"))
    for path in save(result.curves(), [folder / "figures" / f"{options.task}-erased.png"]):
        say(f"figure: {path}")
    say(f"table: {folder / 'erasure.parquet'}")
