"""`--corpus files`: a user's own bitext, of whichever form the options describe."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..data import Bitext, GoldBitext


def own_files(
    *,
    files: tuple[Path | None, Path | None],
    beside: Mapping[str, Path | None],
    languages: tuple[str | None, str | None],
    table: Path | None,
    columns: tuple[str | None, str | None, str | None, str | None],
    limit: int | None,
    seed: int,
) -> "Bitext | GoldBitext":
    """Return the bitext that the options describe.

    Args:
        files: of the source and of the target.
        beside: files of groups, gold pairs, alignments, and a lexicon; at most one.
        languages: codes of source and target.
        table: instead of two files.
        columns: of the table: source, target, id, group.
        limit: only the first so many sentences or pairs.
        seed: of the occurrences of words.

    Raises:
        ValueError: what lacks, or what does not go together.
    """
    from ..data import aligned, gold
    from ..data.corpora import files as own

    if sum(path is not None for path in (*beside.values(), table)) > 1:
        raise ValueError("of --table, --group-file, --gold-file, --alignment-file, --lexicon take one")
    if table is not None:
        if columns[0] is None or columns[1] is None:
            raise ValueError("--table needs --source-column and --target-column")
        return own.table(
            table,
            source_column=columns[0],
            target_column=columns[1],
            source_language=languages[0],
            target_language=languages[1],
            id_column=columns[2],
            group_column=columns[3],
            limit=limit,
        )
    source, target = files
    a, b = languages
    if a is None or b is None:
        raise ValueError("--corpus files needs --source-language and --target-language")
    if beside["lexicon"] is not None:
        return gold.read_lexicon(beside["lexicon"], source_language=a, target_language=b, limit=limit)
    if source is None or target is None:
        raise ValueError("--corpus files needs --source-file and --target-file, --table or --lexicon")
    both = (source, target)
    if beside["alignment"] is not None:
        return aligned.aligned_words(
            *both, beside["alignment"], source_language=a, target_language=b, seed=seed, limit=limit
        )
    if beside["pairs"] is not None:
        return gold.read_gold(*both, beside["pairs"], source_language=a, target_language=b, limit=limit)
    return own.two_files(
        *both, source_language=a, target_language=b, groups=beside["groups"], limit=limit
    )
