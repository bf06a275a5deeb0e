"""What a training brought, a line a number: in the model card and on the screen."""

from ..data.rows import Row


def score_line(score: Row) -> str:
    """Return a task's score: what, where, its interval, what a constant answer reaches."""
    notes = ("  at baseline" if score["at_baseline"] else "") + ("  LEAKS" if score.get("leaks") else "")
    where = score.get("language", "en dev")
    return (
        f"{score['task']} {where} {score['metric']} {score['value']:.4f} ({score['low']:.4f} to "
        f"{score['high']:.4f}; constant answer {score['baseline']:.4f}; n {score['n']:,}){notes}"
    )


def gain_line(row: Row) -> str:
    """Return what became of word pairs: before, after, random pairs, gain."""
    return (
        f"{row['language']} {row['pairs']} pairs, layer {row['layer']}, {row['measure']}: "
        f"{row['before']:.4f} -> {row['after']:.4f} (random {row['before_random']:.4f} -> "
        f"{row['after_random']:.4f}), gain above random {row['gain']:+.4f} ({row['gain_low']:+.4f} to "
        f"{row['gain_high']:+.4f}; n {row['n']:,})"
    )
