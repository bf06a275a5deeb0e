"""Sentences of several languages in two dimensions: the picture of every paper, and no measure.

Two dimensions hold a small share of what vectors differ in; points that are near in a picture need not
be near. The share is written on it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...alignment.drawing import Sheet, canvas, hues, short_name, title
from ...alignment.extraction.extracting import extract
from ...alignment.representations.source import CheckpointLike
from ...data.corpora.same_sentences import parallel_texts
from .language_names import named_languages
from .options import SentencesOptions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKS = "osD^vP*X"
LEAST = 3  # sentences
LINKED = 60  # sentences whose translations are joined by lines; more are a tangle


def vectors_of(
    checkpoint: CheckpointLike, options: SentencesOptions
) -> tuple[dict[str, np.ndarray], str, int]:
    """Return the vectors of the sentences that all languages have, what they are, and of which layer.

    Args:
        checkpoint: whose, mean over tokens.
        options: corpus, languages, layer.

    Raises:
        ValueError: no sentence that all of them have; no such layer.
        OSError: no checkpoint or corpus there.
    """
    texts = parallel_texts(
        options.corpus, data_dir=options.data_dir, languages=str(options.languages), limit=options.limit
    )
    kept = len(next(iter(texts.values())))
    if kept < LEAST:
        raise ValueError(
            f"`corpus` {options.corpus} has {kept} sentences that all have; {LEAST} are needed"
        )
    every = [text for own in texts.values() for text in own]
    try:
        extracted = extract(checkpoint, every, layers=options.layer)
    except ValueError as error:  # its setting of that name takes several
        raise ValueError(str(error).replace("`layers`", "`layer`")) from None
    layer = extracted.layers[0]
    whole = np.split(np.asarray(extracted.layer(layer)), len(texts))
    about = f"{short_name(checkpoint)}, layer {layer}: {kept} sentences of {options.corpus}"
    return dict(zip(texts, whole, strict=True)), about, layer


class Picture(NamedTuple):
    """Points in two dimensions, by language, and what they are."""

    points: Mapping[str, np.ndarray]  # n × 2
    axes: tuple[str, str]
    said: str


def principal(vectors: Mapping[str, np.ndarray]) -> Picture:
    """Return the first two principal components of all vectors together.

    Args:
        vectors: by language, n × d; row i of every language is the same sentence.

    Returns:
        Points with the greatest variance; each axis named with its share of the variance.

    >>> rows = np.array([[0.0, 0, 1], [4, 0, 1], [0, 1, 1], [4, 1, 1]])
    >>> principal({"a": rows[:2], "b": rows[2:]}).axes
    ('component 1 (94 %)', 'component 2 (6 %)')
    """
    whole = np.concatenate(list(vectors.values())).astype(np.float64)
    centred = whole - whole.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    shares = sizes**2 / max(float((sizes**2).sum()), 1e-300)
    named = [f"component {at + 1} ({shares[at]:.0%})".replace("%", " %") for at in (0, 1)]
    said = f"{shares[:2].sum():.0%}".replace("%", " %") + " of the variance"
    return Picture(_split(left[:, :2] * sizes[:2], vectors), (named[0], named[1]), said)


def neighbourly(vectors: Mapping[str, np.ndarray], seed: int = 0) -> Picture:
    """Return a UMAP of all vectors together, by cosine.

    Args:
        vectors: by language, n × d.
        seed: of its start.

    Raises:
        ValueError: umap-learn is not installed.
    """
    try:
        import umap
    except ImportError:
        raise ValueError("`method` umap needs umap-learn: pip install umap-learn; or take pca") from None
    whole = np.concatenate(list(vectors.values())).astype(np.float64)
    made = umap.UMAP(metric="cosine", random_state=seed, n_jobs=1).fit_transform(whole)
    return Picture(_split(made, vectors), ("UMAP 1", "UMAP 2"), "distances mean little")


def _split(points: np.ndarray, vectors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    ends = np.cumsum([len(own) for own in vectors.values()])[:-1]
    return dict(zip(vectors, np.split(points, ends), strict=True))


def draw_sentences(vectors: Mapping[str, np.ndarray], about: str, options: SentencesOptions) -> "Figure":
    """Draw sentences as points, a colour and a mark a language, and return the figure.

    Args:
        vectors: by language, n × d; row i of every language is the same sentence.
        about: what they are, for the title.
        options: method, names, sheet.

    Raises:
        ValueError: the method is not installed.
    """
    on = options.sheet()
    picture = principal(vectors) if options.method == "pca" else neighbourly(vectors)
    with on.style():
        figure = canvas(on.width, 0.8 * on.width)
        _draw(figure, picture, on, options)
        if options.title:
            said = f"{about}; {picture.said}: a picture, no measure"
            title(figure, said, size=on.type + 1)
    return figure


def _draw(figure: "Figure", picture: Picture, on: Sheet, options: SentencesOptions) -> None:
    axes = figure.subplots()
    clouds = list(picture.points.values())
    if len(clouds[0]) <= LINKED and len({len(own) for own in clouds}) == 1:
        for row in range(len(clouds[0])):
            path = np.array([own[row] for own in clouds])
            axes.plot(*path.T, color="0.75" if not on.dark else "0.35", linewidth=0.4, zorder=0)
    names = named_languages(picture.points, options.names)
    for at, (own, name, colour) in enumerate(zip(clouds, names, hues(on, len(names)), strict=True)):
        axes.scatter(
            *own.T, s=9, color=[colour], marker=MARKS[at % len(MARKS)], linewidths=0, label=name
        )
    axes.set(xlabel=picture.axes[0], ylabel=picture.axes[1], xticks=[], yticks=[])
    figure.legend(loc="outside right upper", frameon=False, markerscale=1.5)
