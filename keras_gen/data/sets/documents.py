"""Texts with topics, downloaded or offline, and the counts of their words."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_gen.data.sets.catalogue import DataUnavailable, load_tfds, unreachable
from keras_gen.data.sets.image_sets import OFFLINE_WARNING, Parts
from keras_gen.data.source import Source
from keras_gen.data.transforms.words import WordCounts, common_words

# Parts of scikit-learn with many documented functions and classes.
_SUBPACKAGES = (
    "cluster", "decomposition", "ensemble", "feature_selection", "linear_model", "metrics",
    "model_selection", "preprocessing",
)  # fmt: skip
_PARTS = ("train", "test")
_SHORTEST = 300  # characters of a docstring that says something


@dataclasses.dataclass(frozen=True)
class Documents(Parts):
    """Training and held-out documents.

    Attributes:
        train: Counts of the vocabulary's words in the training documents, float32 `[n, words]`.
        test: The same of the held-out documents.
        train_texts: Training documents, an array of Python strings `[n]`.
        test_texts: Held-out documents.
        train_topics: int64 `[n]`, the number of each document's topic, -1 where there is none.
        test_topics: The same of the held-out documents.
        topics: Names of the topics.
        vocabulary: The words that are counted, which are the commonest of the training documents.
        warning: What the user must know about this data; empty for the data that was asked for.
    """

    train: Source
    test: Source
    train_texts: np.ndarray
    test_texts: np.ndarray
    train_topics: np.ndarray
    test_topics: np.ndarray
    topics: tuple[str, ...]
    vocabulary: list[str]
    warning: str = ""


def documents(name: str, words: int = 2000, topics: int = 8) -> Documents:
    """Loads documents and counts their commonest words.

    - `"reuters"`: Reuters-21578 through tensorflow-datasets. All 9,603 stories of the ModApte split
      are trained on; a story has a topic if it is the only one of the story and among the `topics`
      commonest such ones, and only these stories are tested on (2,207 for 8 topics).
    - `"20newsgroups"`: 11,314 and 7,532 posts through scikit-learn, which downloads them once,
      without headers, footers and quotes. Each of the 20 groups is a topic.

    Where they cannot be had, the docstrings of scikit-learn serve, with its subpackages as topics,
    every fourth of which is held out.

    Args:
        name: `"reuters"` or `"20newsgroups"`.
        words: Size of the vocabulary: the commonest words without English stop words.
        topics: Number of topics of `"reuters"` that are kept.

    Raises:
        ValueError: If the name is unknown.
        DataDamaged: If a prepared data set is broken.

    Example:
    ```python
    data = documents("reuters", words=2000)
    batches = data.train.stream(100)
    ```
    """
    loaders = {"reuters": lambda: _reuters(topics), "20newsgroups": _newsgroups}
    if name not in loaders:
        raise ValueError(f"there are no documents {name!r}: choose {' or '.join(loaders)}.")
    try:
        (train, test), names, origin = loaders[name]()
        warning = ""
    except DataUnavailable as error:
        (train, test), names, origin = _docstrings()
        warning = OFFLINE_WARNING.format(error)
    vocabulary = common_words(train[0], words)
    counter = WordCounts(vocabulary)
    counts = [
        Source(_counted(counter, texts), origin=origin.format(part))
        for part, (texts, _) in zip(_PARTS, (train, test), strict=True)
    ]
    return Documents(
        counts[0], counts[1], train[0], test[0], train[1], test[1], names, vocabulary, warning
    )


# What a loader returns: texts and topics of training and test documents, names, where from.
_Loaded = tuple[list[tuple[np.ndarray, np.ndarray]], tuple[str, ...], str]


def _counted(counter: WordCounts, texts: np.ndarray, at_once: int = 1000) -> np.ndarray:
    parts = [counter(texts[i : i + at_once]).numpy() for i in range(0, len(texts), at_once)]
    return np.concatenate(parts)


def _reuters(count: int) -> _Loaded:
    sources = [load_tfds("reuters", part, features=("text", "topics")) for part in _PARTS]
    stories = [[_strings(feature) for feature in source.arrays()] for source in sources]
    names, numbers = _single_topics([topics for _, topics in stories], count)
    texts = [text for text, _ in stories]
    kept = numbers[1] >= 0
    origin = sources[0].origin.replace("split train", "split {}")
    return [(texts[0], numbers[0]), (texts[1][kept], numbers[1][kept])], names, origin


def _single_topics(topics: Sequence, count: int) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """The commonest topics among training stories of one topic, and the stories' numbers."""
    single = Counter(story for story in topics[0] if len(story.split()) == 1)
    names = tuple(name for name, _ in single.most_common(count))
    number = {name: i for i, name in enumerate(names)}
    return names, [np.array([number.get(s, -1) for s in part], np.int64) for part in topics]


def _newsgroups() -> _Loaded:
    from sklearn.datasets import fetch_20newsgroups
    from sklearn.datasets._twenty_newsgroups import ARCHIVE

    def fetch(download: bool) -> list:
        options = dict(remove=("headers", "footers", "quotes"), download_if_missing=download)
        return [fetch_20newsgroups(subset=part, n_retries=1, **options) for part in _PARTS]

    try:
        parts = fetch(download=False)
    except OSError:
        # scikit-learn would try for long, without a word.
        missing = f"the 20 newsgroups are not prepared in {_sklearn_home()}"
        if reason := unreachable([ARCHIVE.url]):
            raise DataUnavailable(f"{missing}, and {reason}; connect to a network.") from None
        try:
            parts = fetch(download=True)
        except OSError as error:
            raise DataUnavailable(f"{missing}, and downloading failed with: {error}.") from error
    origin = f"20 newsgroups, split {{}}, from {_sklearn_home()}"
    texts = [(np.array(p.data, object), p.target.astype(np.int64)) for p in parts]
    return texts, tuple(parts[0].target_names), origin


def _sklearn_home() -> str:
    from sklearn.datasets import get_data_home

    return get_data_home()


def _docstrings() -> _Loaded:
    """Docstrings read from the files of scikit-learn, each once, under its subpackage."""
    spec = importlib.util.find_spec("sklearn")
    assert spec is not None and spec.origin is not None
    found: dict[str, int] = {}
    for number, name in enumerate(_SUBPACKAGES):
        for path in sorted(Path(spec.origin).with_name(name).glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef | ast.FunctionDef):
                    text = ast.get_docstring(node) or ""
                    if len(text) >= _SHORTEST:
                        found.setdefault(text, number)
    texts, topics = np.array(list(found), object), np.array(list(found.values()), np.int64)
    held_out = np.arange(len(texts)) % 4 == 3
    origin = "offline sample: docstrings that ship with scikit-learn, split {}"
    parts = [(texts[part], topics[part]) for part in (~held_out, held_out)]
    return parts, _SUBPACKAGES, origin


def _strings(values: np.ndarray) -> np.ndarray:
    return np.array([value.decode("utf-8") for value in values], object)
