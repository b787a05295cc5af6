"""Texts, downloaded or offline, with their topics and the counts of their words, or as they are."""

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
from keras_gen.data.transforms.characters import characters_of, cleaned
from keras_gen.data.transforms.words import WordCounts, common_words

# Parts of scikit-learn with many documented functions and classes.
_SUBPACKAGES = (
    "cluster", "decomposition", "ensemble", "feature_selection", "linear_model", "metrics",
    "model_selection", "preprocessing",
)  # fmt: skip
_SHORTEST = 300  # characters of a docstring that is long enough


@dataclasses.dataclass(frozen=True)
class Documents(Parts):
    """Documents to train on; `test`, `test_texts` and `test_topics` are the same of held-out ones.

    Attributes:
        train: Counts of the vocabulary's words in each document, float32 `[n, words]`.
        train_texts: The documents, an array of Python strings `[n]`.
        train_topics: int64 `[n]`, the number of each document's topic, -1 where there is none.
        topics: Names of the topics.
        vocabulary: The words that are counted.
        warning: As in `Split`.
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
    """Loads documents and counts their commonest words.

    Where they are unavailable, the docstrings of scikit-learn take their place: its subpackages are
    the topics, and every fourth docstring is held out.

    Args:
        name: `"reuters"`: Reuters-21578 through tensorflow-datasets, ModApte split. A story has a
            topic if it is its only one and among the `topics` commonest. All 9,603 training stories
            are there; the held-out ones are those with a topic (2,207 for 8 topics).
            `"20newsgroups"`: 11,314 and 7,532 posts in 20 groups, their topics, without headers,
            footers and quotes, through scikit-learn, which downloads them once.
        words: Size of the vocabulary: the commonest words without English stop words.
        topics: Number of topics of `"reuters"`.

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
    """Texts to train on and held-out ones, strings, and the characters of those to train on.

    Held-out texts have no other characters.
    """

    alphabet: str = ""


@checked_types
def character_texts(name: str) -> CharacterTexts:
    """Loads texts for models of characters: printable ASCII and ends of lines.

    Other characters become spaces (`cleaned`), as do those that no training text has. Texts without
    characters are left out. Where the texts are unavailable, the docstrings of scikit-learn take
    their place, as in `documents`.

    Args:
        name: `"reuters"`: all stories of the ModApte split, 9,603 and 3,299; or `"20newsgroups"`.

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
        raise ValueError(f"there are no documents {name!r}: choose reuters or 20newsgroups.")


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
        # scikit-learn would retry for long without a message.
        missing = f"the 20 newsgroups are not prepared in {home}"
        if reason := unreachable([ARCHIVE.url]):
            raise DataUnavailable(f"{missing}, and {reason}; connect to a network.") from None
        try:
            train, names = fetch("train", download=True)
        except OSError as error:
            raise DataUnavailable(f"{missing}, and downloading failed with: {error}.") from error
    test, _ = fetch("test", download=False)  # both parts are downloaded at once
    return train, test, tuple(names)


def _docstrings() -> tuple[_Texts, _Texts, tuple[str, ...]]:
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
    texts = np.array(list(found), object)
    topics = np.array(list(found.values()), np.int64)
    held_out = np.arange(len(texts)) % 4 == 3
    origin = "offline sample: docstrings that ship with scikit-learn, split"
    train = _Texts(texts[~held_out], topics[~held_out], f"{origin} train")
    test = _Texts(texts[held_out], topics[held_out], f"{origin} test")
    return train, test, _SUBPACKAGES
