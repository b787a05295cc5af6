"""Downloaded or offline texts, as word counts with topics or as plain strings."""

from __future__ import annotations

import ast
import dataclasses
import importlib.util
import re
from collections import Counter
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gen.checked_arguments import checked_types
from keras_gen.data.sets.splits import OFFLINE_WARNING, Parts, Split
from keras_gen.data.sets.tfds import DataUnavailable, load_tfds, unreachable
from keras_gen.data.source import Source
from keras_gen.data.transforms.texts import WordCounts, characters_of, cleaned, common_words

# Subpackages of scikit-learn with many documented functions and classes.
_SUBPACKAGES = (
    "cluster", "decomposition", "ensemble", "feature_selection", "linear_model", "metrics",
    "model_selection", "preprocessing",
)  # fmt: skip
_SHORTEST = 300  # minimum number of characters in a docstring


@dataclasses.dataclass(frozen=True)
class Documents(Parts):
    """Training documents; `test`, `test_texts`, and `test_topics` are the held-out counterparts.

    Attributes:
        train: Counts of each vocabulary word in each document, float32 `[n, words]`.
        train_texts: Texts of the documents, an array of Python strings `[n]`.
        train_topics: Topic index of each document, int64 `[n]`; -1 if the document has no topic.
        topics: Names of the topics.
        vocabulary: Words that are counted.
        warning: Reason why other texts replace the documents, or an empty string; see `Split`.
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


@dataclasses.dataclass
class _Texts:
    texts: np.ndarray
    topics: np.ndarray
    origin: str

    def counted(self, counter: WordCounts) -> Source:
        starts = range(0, len(self.texts), 1000)
        counts = [counter(self.texts[start : start + 1000]).numpy() for start in starts]
        return Source(np.concatenate(counts), origin=self.origin)


@checked_types
def documents(name: str, words: int = 2000, topics: int = 8) -> Documents:
    """Loads documents, and counts their most common words.

    If the documents are unavailable, the docstrings of scikit-learn replace them: the subpackages
    are the topics, and every fourth docstring is held out.

    Args:
        name: Name of the dataset. `"reuters"` is Reuters-21578 in its ModApte split, from
            tensorflow-datasets. A story is assigned a topic only if it has exactly one topic and
            this topic is among the `topics` most common topics. All 9,603 training stories are
            included; the held-out part contains only stories with a topic (2,207 for 8 topics).
            `"20newsgroups"` consists of 11,314 training posts and 7,532 held-out posts, without
            headers, footers, and quotes; the 20 groups are the topics. scikit-learn downloads the
            posts once.
        words: Size of the vocabulary, which contains the most common words other than English stop
            words.
        topics: Number of topics for `"reuters"`.

    Example:
    ```python
    data = documents("reuters", words=2000)
    batches = data.train.stream(100)
    ```
    """
    _check_name(name)
    warning = ""
    try:
        train, test, names = _reuters(topics) if name == "reuters" else _newsgroups()
    except DataUnavailable as error:
        train, test, names = _docstrings()
        warning = OFFLINE_WARNING.format(error)
    vocabulary = common_words(train.texts, words)
    counter = WordCounts(vocabulary)
    return Documents(
        train.counted(counter),
        test.counted(counter),
        train.texts,
        test.texts,
        train.topics,
        test.topics,
        names,
        vocabulary,
        warning,
    )


@dataclasses.dataclass(frozen=True)
class CharacterTexts(Split):
    """Training texts and held-out texts as strings, and the characters in the training texts.

    Held-out texts contain only characters that occur in the training texts.
    """

    alphabet: str = ""


@checked_types
def character_texts(name: str) -> CharacterTexts:
    """Loads texts for character models: printable ASCII and newlines.

    Other characters are replaced with spaces (`cleaned`), as are characters that do not occur in a
    training text. Empty texts are left out. If the texts are unavailable, the docstrings of
    scikit-learn replace them, as in `documents`.

    Args:
        name: Name of the dataset, `"reuters"` or `"20newsgroups"`. `"reuters"` consists of all
            stories in the ModApte split: 9,603 training stories and 3,299 held-out stories.

    Example:
    ```python
    data = character_texts("reuters")
    batches = data.train.stream(32)  # strings [32], for the edge Characters(data.alphabet, 512)
    ```
    """
    _check_name(name)
    warning = ""
    try:
        if name == "reuters":
            train, test = _stories("train"), _stories("test")
        else:
            train, test, _ = _newsgroups()
    except DataUnavailable as error:
        train, test, _ = _docstrings()
        warning = OFFLINE_WARNING.format(error)
    known = cleaned(train.texts)
    alphabet = characters_of(known)
    unknown = re.compile(f"[^{re.escape(alphabet)}]")
    held_out = [unknown.sub(" ", text) for text in cleaned(test.texts)]
    return CharacterTexts(
        _strings(known, train.origin), _strings(held_out, test.origin), warning, alphabet
    )


def _strings(texts: list[str], origin: str) -> Source:
    return Source(tf.constant([text for text in texts if text]), origin=origin)


def _check_name(name: str) -> None:
    if name not in ("reuters", "20newsgroups"):
        raise ValueError(f"name is {name!r}: expected 'reuters' or '20newsgroups'.")


def _reuters(count: int) -> tuple[_Texts, _Texts, tuple[str, ...]]:
    train, test = _stories("train"), _stories("test")
    single = Counter(topics for topics in train.topics if len(topics.split()) == 1)
    names = tuple(name for name, _ in single.most_common(count))
    for part in (train, test):
        numbers = [names.index(topics) if topics in names else -1 for topics in part.topics]
        part.topics = np.array(numbers, np.int64)
    with_topic = test.topics >= 0
    test.texts = test.texts[with_topic]
    test.topics = test.topics[with_topic]
    return train, test, names


def _stories(split: str) -> _Texts:
    source = load_tfds("reuters", split, features=("text", "topics"))
    stories, names = source.arrays()
    texts = np.array([story.decode("utf-8") for story in stories], object)
    topics = np.array([name.decode("utf-8") for name in names], object)
    return _Texts(texts, topics, source.origin)


def _newsgroups() -> tuple[_Texts, _Texts, tuple[str, ...]]:
    from sklearn.datasets import fetch_20newsgroups, get_data_home
    from sklearn.datasets._twenty_newsgroups import ARCHIVE

    home = get_data_home()

    def fetch(split: str, download: bool) -> tuple[_Texts, list[str]]:
        posts = fetch_20newsgroups(
            subset=split,
            remove=("headers", "footers", "quotes"),
            download_if_missing=download,
            n_retries=1,
        )
        texts = np.array(posts.data, object)
        origin = f"20 newsgroups, split {split}, from {home}"
        return _Texts(texts, posts.target.astype(np.int64), origin), posts.target_names

    try:
        train, names = fetch("train", download=False)
    except OSError:
        # If the host is unreachable, scikit-learn would retry for a long time without a message.
        missing = f"the 20 newsgroups are not prepared in {home}"
        if reason := unreachable([ARCHIVE.url]):
            raise DataUnavailable(f"{missing}, and {reason}: connect to a network.") from None
        try:
            train, names = fetch("train", download=True)
        except OSError as error:
            raise DataUnavailable(
                f"{missing}, and the download failed with: {error}."
            ) from error
    test, _ = fetch("test", download=False)  # downloaded with the training part
    return train, test, tuple(names)


def _docstrings() -> tuple[_Texts, _Texts, tuple[str, ...]]:
    """Returns scikit-learn's unique docstrings, from its files, with subpackages as topics."""
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
    texts = np.array(list(found), object)
    topics = np.array(list(found.values()), np.int64)
    held_out = np.arange(len(texts)) % 4 == 3
    origin = "offline sample: docstrings that ship with scikit-learn, split"
    train = _Texts(texts[~held_out], topics[~held_out], f"{origin} train")
    test = _Texts(texts[held_out], topics[held_out], f"{origin} test")
    return train, test, _SUBPACKAGES
