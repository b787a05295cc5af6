"""`keras-gen find`: finds classes, recipes, topics, and pages by the words that students use."""

import argparse
import functools
import math
import operator
import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import keras_gen
from keras_gen.arguments import shown
from keras_gen.files.writing import PACKAGE, place
from keras_gen.messages import nearest
from keras_gen.serving import exported
from keras_gen.workshop.cli.listing import duration, mark, print_line
from keras_gen.workshop.results.topics import read_chapters, read_topics

ALIASES = "aliases.toml"  # in the recipes folder; maps entry names to synonyms
HITS = 5
SHOWN = 3  # maximum number of classes, recipes, and chapters per hit
# Packages whose public names are also entries.
ROOMS = ("metrics", "losses", "layers", "networks", "data")
STOP_WORDS = frozenset(
    "a an and are as at by can do does for from how i in is it my of on or the to use using vs "
    "versus what which why with".split()
)
GREEK = str.maketrans(
    {"α": "alpha ", "β": "beta ", "ε": "epsilon ", "λ": "lambda ", "χ": "chi "}
)
ENDINGS = (  # plurals and British spelling, for words of at least four letters
    (r"ies$", "y"),
    (r"(ss|x|ch|sh)es$", r"\1"),
    (r"(?<![isu])s$", ""),
    (r"is(e[dr]?|ing|ation)$", r"iz\1"),
    (r"(?<=\w\w)our(?=$|ed|ing|ful)", "or"),
    (r"ll(?=ed|ing|er)", "l"),
    (r"tre$", "ter"),
    (r"^grey", "gray"),
)

KINDS = ("class", "recipe", "topic", "function", "term", "task", "chapter", "guide")
DEFINITION = re.compile(
    r'^(?:class|def) (\w+)(?:(?!\n(?:class|def|@)).)*?:\n    """(.*?)(?:Args:|""")',
    re.MULTILINE | re.DOTALL,
)
IMPORT = re.compile(r"^from keras_gen\.\S+ import (?:\(([^)]*)\)|(.*))", re.MULTILINE)
PAGES = {  # for each kind: its pages, and a pattern for lines with a name and a description
    "term": ("glossary.md", r"^- \*\*(.+?)\*\*: ((?:.+\n)(?:  .+\n)*)"),
    "task": ("tasks.md", r"^### (.+)()$"),
    "chapter": ("course/[0-9]*.md", r"^##? \d+\. (?!What is often)(.+)()$"),
    "guide": ("which_model.md", r"^\| (\w[^|]*?) (\|.+)"),
}


class Entry(NamedTuple):
    """A named entry that a search can find, and its file.

    Args:
        kind: The type of the entry, as it is printed.
        name: The name of the entry. The comma-separated parts of a topic are also names.
        file: The file that contains the entry; empty for a topic.
        text: A description of the entry, which is also searched.
        classes: Names of related classes, with the closest class first.
        recipes: Names of related recipes, with the closest recipe first.
    """

    kind: str
    name: str
    file: str = ""
    text: str = ""
    classes: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()


class Words(NamedTuple):
    """The normalized words of an entry.

    Args:
        name: Words of the name.
        parts: The comma-separated parts of the name, each joined to one word.
        aliases: Other names, each joined to one word.
        named: Words of the name and the aliases.
        text: Words of the description.
    """

    name: list[str]
    parts: set[str]
    aliases: set[str]
    named: set[str]
    text: list[str]


def words_of(text: str) -> list[str]:
    """Splits a text into normalized words.

    Stop words, accents, and hyphens are removed. Case, plurals, and British spelling are
    normalized.

    Example:
        >>> words_of("Colour-normalised Fréchet distances of CycleGAN")
        ['color', 'normalized', 'frechet', 'distance', 'cycle', 'gan']
    """
    text = re.sub(r"['’]s?\b", "", text.translate(GREEK))
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    kept = [word for word in re.findall(r"[^\W_]+", plain) if word.lower() not in STOP_WORDS]
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", " ".join(kept)).lower().split()
    return [_stem(word) for word in split]


@functools.cache
def _stem(word: str) -> str:
    if len(word) > 3:
        for ending, replacement in ENDINGS:
            word = re.sub(ending, replacement, word)
    return word


def _joined(text: str) -> str:
    return "".join(words_of(text))


def _runs(words: Sequence[str]) -> set[str]:
    """Returns all sequences of up to six words, joined, so that "cycle gan" matches "CycleGAN"."""
    ends = range(1, len(words) + 1)
    return {"".join(words[start:end]) for end in ends for start in range(max(0, end - 6), end)}


class Index:
    """All entries that a search can find, and the words that match these entries.

    Args:
        root: The folder that contains recipes/ and docs/.

    Raises:
        ValueError: If a TOML file is invalid.
    """

    def __init__(self, root: Path):
        folder = root / "recipes"
        self.recipes = {path.stem: path for path in sorted(folder.glob("[!_]*.py"))}
        texts = {name: _read(path) for name, path in self.recipes.items()}
        self.imports = {name: _imports(text) for name, text in texts.items()}
        self.class_files: dict[str, str] = {}
        self.entries = [*self._documented()]
        for name, text in texts.items():
            file = str(self.recipes[name])
            classes = self._classes([name])
            self.entries.append(Entry("recipe", name, file, _first_line(text), classes, (name,)))
        for topics in read_topics(folder).values():
            for topic, names in topics.items():
                classes = self._classes(names)
                self.entries.append(Entry("topic", topic, "", "", classes, tuple(names)))
        self.entries += _pages(root / "docs")
        path = folder / ALIASES
        table = tomllib.loads(_read(path)) if path.is_file() else {}
        self.aliases = {_joined(name): aliases for name, aliases in table.items()}
        self.words = [self._words(entry) for entry in self.entries]
        self.counts = Counter(word for own in self.words for word in own.named.union(own.text))

    def _documented(self) -> Iterator[Entry]:
        """Yields entries of public classes and functions, each with the recipes that import it."""
        for package in (*keras_gen._MODELS, *ROOMS):
            folder = PACKAGE / package
            public = keras_gen._MODELS.get(package) or _imports(_read(folder / "__init__.py"))
            kind = "function" if package in ROOMS else "class"
            for path in sorted(folder.rglob("*.py")):
                text = _read(path)
                for name, description in DEFINITION.findall(text):
                    if name in public:
                        file = path.relative_to(PACKAGE.parent).as_posix()
                        self.class_files[name] = file
                        described = f"{description.strip()}\n\n{_first_line(text)}"
                        classes = (name,) if kind == "class" else ()
                        yield Entry(kind, name, file, described, classes, self._showing(name))

    def _showing(self, public: str) -> tuple[str, ...]:
        """Returns the recipes that import a public name; recipes named after it come first."""
        names = [name for name, imported in self.imports.items() if public in imported]
        begun = _joined(public)
        return tuple(
            sorted(names, key=lambda name: (not _joined(name).startswith(begun), len(name)))
        )

    def _classes(self, recipes: Iterable[str]) -> tuple[str, ...]:
        """Returns the model classes that recipes import; classes in recipe names come first."""
        pairs = [
            (_joined(name) not in _joined(recipe), name)
            for recipe in recipes
            for name in sorted(self.imports.get(recipe, ()))
            if name in keras_gen.__all__
        ]
        pairs.sort(key=operator.itemgetter(0))
        return tuple(dict.fromkeys(name for _, name in pairs))

    def found(self, text: str) -> list[Entry]:
        """Returns the matching entries, with the best match first.

        Matches of exact names rank above aliases, aliases above whole phrases, and phrases above
        single words. Rare words have the highest weight.

        Raises:
            ValueError: If nothing matches; the message suggests similar names.
        """
        asked = words_of(text)
        weights = {
            word: math.log(1 + len(self.entries) / self.counts[word])
            for word in asked
            if self.counts[word]
        }
        scores = {
            order: (*score, KINDS.index(entry.kind), len(entry.name))
            for order, (entry, words) in enumerate(zip(self.entries, self.words, strict=True))
            if (score := _score(asked, entry.kind, words, weights))
        }
        if not scores:
            names = [entry.name for entry in self.entries]
            names += [alias for aliases in self.aliases.values() for alias in aliases]
            near = nearest(text.casefold(), [name.casefold() for name in names])
            end = "; docs/topics.md lists all topics." if near == "." else near
            raise ValueError(f"nothing matches {shown(text)}{end}")
        return [self.entries[order] for order in sorted(scores, key=scores.__getitem__)]

    def _words(self, entry: Entry) -> Words:
        name = words_of(entry.name)
        parts = {_joined(part) for part in entry.name.split(",")}
        aliases = [words_of(alias) for alias in self.aliases.get("".join(name), ())]
        named = {word for words in (name, *aliases) for word in words}
        joined = {"".join(alias) for alias in aliases}
        return Words(name, parts, joined, named, words_of(entry.text))


def _score(
    asked: Sequence[str], kind: str, words: Words, weights: Mapping[str, float]
) -> tuple[float, float] | None:
    """Returns the sort key of an entry, which is lower for a better match; None without a match."""
    joined = "".join(asked)
    own = "".join(words.name)
    if joined == own:
        return (0, 0) if kind in ("class", "recipe") else (1, 1)
    if joined in words.aliases:
        return 1, 0
    if joined in words.parts:
        return 2, 0
    if joined in _runs(words.name):
        return 2, 1 if own.startswith(joined) else 2
    if asked and f" {' '.join(asked)} " in f" {' '.join(words.text)} ":
        return 3, 0
    named = sum(weights[word] for word in words.named.intersection(weights))
    told = sum(weights[word] for word in set(words.text).intersection(weights) - words.named)
    has_whole_name = not words.parts.union(words.aliases).isdisjoint(_runs(asked))
    weight = told + (4 if has_whole_name else 2) * named
    return (4, -weight) if weight else None


def _first_line(text: str) -> str:
    """Returns the first line of a module's docstring."""
    return text.partition('"""')[2].partition("\n")[0].removesuffix('"""')


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _imports(text: str) -> set[str]:
    """Returns the names that a file imports from this library."""
    lines = " ".join(several or one for several, one in IMPORT.findall(text))
    return set(re.findall(r"\w+", lines))


def _pages(docs: Path) -> Iterator[Entry]:
    """Yields glossary terms, tasks, course headings, and rows of the guide to models."""
    for kind, (pages, pattern) in PAGES.items():
        for path in sorted(docs.glob(pages)):
            for name, text in re.findall(pattern, _read(path), re.M):
                recipe_names = tuple(re.findall(r"\[(\w+)\]\(results/", text))
                yield Entry(kind, name, str(path), text, recipes=recipe_names)


def find(options: argparse.Namespace) -> int:
    """Prints the classes, functions, recipes, topics, and pages that best match the words."""
    root = place("recipes").parent
    index = Index(root)
    chapters = read_chapters(root / "docs" / "course")
    exports = exported.exports(options.models)
    for entry in index.found(" ".join(options.words))[:HITS]:
        print(f"{entry.name} ({entry.kind})")
        description = " ".join(entry.text.partition("\n\n")[0].split())
        print_line("summary", "" if entry.kind == "guide" else description)
        print_line("file", "" if entry.kind == "class" else entry.file)
        for name in entry.classes[:SHOWN]:
            print_line("class", f"{name}, {index.class_files[name]}")
        known = [name for name in entry.recipes if name in index.recipes][:SHOWN]
        for name in known:
            has = mark(options.models / name) if name in exports else ""
            parts = (name, duration(index.recipes[name]), has)
            print_line("recipe", ", ".join(filter(None, parts)))
        pages = {page: None for name in known for page in chapters.get(name, ())}
        for page in list(pages)[:SHOWN]:
            print_line("chapter", str(root / "docs" / "course" / f"{page}.md"))
        pictures = [root / "recipes" / "results" / f"{name}.png" for name in known]
        for picture in [path for path in pictures if path.is_file()][:1]:
            print_line("picture", str(picture))
    return 0
