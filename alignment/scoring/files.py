"""`corpus` files: a user's own bitext, of whichever form the options describe."""

from pathlib import Path

from ...data import AnyBitext, aligned, gold, standard_tag
from ...data.corpora import files
from .options import FileOptions

FORMS = ("table", "group_file", "gold_file", "alignment_file", "lexicon")  # at most one


def own_bitext(options: FileOptions, *, limit: int | None, seed: int) -> AnyBitext:
    """Return the bitext that the options describe.

    Args:
        options: which files, and what they hold.
        limit: at most this many, the first, sentences or pairs.
        seed: which occurrences of words are taken.

    Raises:
        ValueError: what is missing, or what does not go together.
        OSError: a file that is not there.
    """
    forms = [name for name in FORMS if getattr(options, name) is not None]
    if len(forms) > 1:
        raise ValueError(f"of {', '.join(f'`{name}`' for name in FORMS)} take one")
    whole = options.table is not None or options.lexicon is not None  # one file holds both sides
    source, source_code = _side(options.source, options.source_file, options.source_language, whole)
    target, target_code = _side(options.target, options.target_file, options.target_language, whole)
    if options.table is not None:
        if options.source_column is None or options.target_column is None:
            raise ValueError("`table` needs `source_column` and `target_column`")
        return files.table(
            Path(options.table),
            source_column=options.source_column,
            target_column=options.target_column,
            source_language=source_code,
            target_language=target_code,
            id_column=options.id_column,
            group_column=options.group_column,
            limit=limit,
        )
    if source_code is None or target_code is None:
        raise ValueError(
            "`corpus` files needs both languages: `source` de=news.de and `target` en=news.en, or "
            "`source_language` and `target_language`"
        )
    if options.lexicon is not None:
        return gold.read_lexicon(
            Path(options.lexicon), source_language=source_code, target_language=target_code, limit=limit
        )
    if source is None or target is None:
        raise ValueError(
            "`corpus` files needs `source` and `target` (de=news.de), `source_file` and `target_file`, "
            "`table` or `lexicon`"
        )
    codes = {"source_language": source_code, "target_language": target_code}
    if options.alignment_file is not None:
        return aligned.aligned_words(
            source, target, Path(options.alignment_file), **codes, seed=seed, limit=limit
        )
    if options.gold_file is not None:
        return gold.read_gold(source, target, Path(options.gold_file), **codes, limit=limit)
    groups = None if options.group_file is None else Path(options.group_file)
    return files.two_files(source, target, **codes, groups=groups, limit=limit)


def refuse_files(options: FileOptions) -> None:
    """Refuse files where another corpus is named.

    Raises:
        ValueError: there are some.
    """
    named = [
        name
        for name in ("source", "source_file", "target", "target_file", *FORMS)
        if getattr(options, name)
    ]
    if named:
        raise ValueError(f"`{named[0]}`: files of your own go with `corpus` files")


def _side(
    pair: str | None, file: str | Path | None, code: str | None, whole: bool
) -> tuple[Path | None, str | None]:
    """Return a side's file and language, from `de=news.de` or from two settings.

    Where one file holds both sides, `de` is the language.
    """
    if pair is not None and whole:
        return None, pair
    if pair is None:
        return (None if file is None else Path(file)), code
    if file is not None:
        raise ValueError(f"{pair} and {file} are two files of one side; name one")
    name, equals, path = pair.partition("=")
    if equals:
        return Path(path), name
    ending = Path(pair.removesuffix(".gz").removesuffix(".xz")).suffix.lstrip(".")
    try:
        standard_tag(code or ending)
    except ValueError:
        raise ValueError(f"{pair}: the language is not known; write de={pair}") from None
    return Path(pair), code or ending
