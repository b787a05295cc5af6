"""Generated pages of the course: the syllabus, the papers, and the errata of lectures."""

import ast
import dataclasses
import re
import statistics
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from keras_gen import _MODELS as MODELS
from keras_gen.workshop.results import algorithms, words
from keras_gen.workshop.results.page_lines import Group
from keras_gen.workshop.results.topics import Topics, read_topics
from keras_gen.workshop.results.words import anchor, header, line

FOLDER = Path("docs") / "course"
FILE = "syllabus.toml"
_SAID = re.compile(r"^## (\d+\. Common claims.*?)\n\n(.*?)\n+(?=## )", re.DOTALL | re.MULTILINE)
_NAME = r"(?:[vV]an den )?[A-Z][\w-]+"
# In a docstring, a citation ends with a year, in contrast to the number in "arXiv 2006.11239".
_CITATION = re.compile(
    rf'({_NAME}(?:, {_NAME})*(?: et al\.)?): "([^"]+)", ?([^;:()"]*?\b(?:19|20)\d\d\b(?!\.\d))'
)

SYLLABUS = """\
# Syllabus

This page outlines a course of {weeks} weeks, with one lecture and one computer session per week.
Each week lists chapters to read, lecture topics, recipes to run, papers, and a question for the
oral exam with its answer.

Chapters contain code that students run themselves, in the minutes shown. The minutes of a recipe
refer to its published run, on {device} unless stated otherwise. Train recipes before the
lecture, or load the published models, which `keras-gen list` shows. In a computer session,
`--preset smoke` shows within seconds that a recipe runs.

Weeks 7, 12, and 13 assign two chapters each. If one lecture is too short for both, leave these
sections to the reader: 7.9 to 7.12 and 17.7 to 17.10; 12.5, 16.2, and 16.5; 15.5, 13.3, and 13.7.

The topics of a week are those of its recipes. The chapters explain most of them but not all, so
check whether a topic occurs in the chapter before you announce it.
[Topics](../topics.md) lists all recipes for each topic, and [Papers](papers.md) covers all classes.
Check slides against [What lectures say, and what is true](errata.md). [A written
exam](../teachers/exam.md) has nine problems with solutions.
"""

PAPERS = """\
# Papers, classes, recipes, and results

This page links each paper to the class that implements it, to the recipe that trains the class, and
to the result of the recipe. Arrows point in the direction of better values,
and [RESULTS.md](../../RESULTS.md#how-to-read-the-tables) explains the other symbols. A result is
compared with the paper's value, if the paper reports one for this dataset, and otherwise with the
strongest inexpensive baseline.
"""

ERRATA = """\
# What lectures say, and what is true

This page collects statements that are common in lectures and textbooks but are wrong, or true only
under conditions that are not stated. Each part links to the section of the course that contains the
proof or the experiment. Sections, questions, pictures, tables, and results that an entry mentions
are in its chapter.
"""


@dataclasses.dataclass(frozen=True)
class Week:
    """A week of the syllabus.

    Attributes:
        title: Displayed title.
        reading: Chapters or sections to read, such as `08_flows.9`.
        recipes: Recipes to run. Each recipe belongs to one week. That week also covers the topics
            that list the recipe first.
        question: Question for the oral exam.
        answer: Answer to the question. In it, "section 2" refers to a section of the first chapter
            in `reading`.
    """

    title: str
    reading: list[str]
    recipes: list[str]
    question: str
    answer: str


class Chapter:
    """A chapter's page.

    Attributes:
        name: File name without extension.
        minutes: Duration of all code in the chapter, in minutes.
        title: Title with its number.
        sections: Dict from the number of a section to the section's numbered heading.
        said: Heading and text of the chapter's section on common claims.
    """

    def __init__(self, folder: Path, name: str, minutes: int):
        text = (folder / f"{name}.md").read_text(encoding="utf-8")
        self.name = name
        self.minutes = minutes
        self.title = re.findall(r"^# (\d.*)", text, re.MULTILINE)[0]
        headings = re.findall(r"^## (\d.*)", text, re.MULTILINE)
        self.sections = {heading.partition(".")[0]: heading for heading in headings}
        self.said = _SAID.findall(text)[0]

    def link(self, number: str = "") -> str:
        """Returns a link to the chapter, or to the section with the given number."""
        if not number:
            return f"[{self.title}]({self.name}.md)"
        target = self._target(number)
        return f"[{self.title.partition('.')[0]}.{self.sections[number]}]({target})"

    def linked(self, text: str) -> str:
        """Returns the text with links to the sections and questions of this chapter."""
        text = re.sub(r"\bsection\s(\d+)", lambda m: f"[{m[0]}]({self._target(m[1])})", text)
        return re.sub(r"\bquestion\s\d", rf"[\g<0>]({self.name}.md#questions)", text)

    def _target(self, number: str) -> str:
        if number not in self.sections:
            raise ValueError(
                f"section is {number}: expected one of the {len(self.sections)} sections of "
                f"{self.name}.md. Correct {FILE}, or the text of the chapter."
            )
        return f"{self.name}.md#{anchor(self.sections[number])}"


def texts(
    root: Path, groups: Mapping[str, Sequence[Group]], titles: Mapping[str, str]
) -> dict[Path, str]:
    """Returns the text of each generated course page by file; empty if there is no syllabus.

    Args:
        root: The repository's root.
        groups: Dict from the name of each recipe to its published runs.
        titles: Dict from each family to its displayed name.

    Raises:
        ValueError: If a chapter or a section does not exist.
    """
    folder = root / FOLDER
    if not (folder / FILE).is_file():
        return {}
    table = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    weeks = [Week(**week) for week in table["weeks"]]
    chapters = read_index(folder)
    for name in {entry.partition(".")[0] for week in weeks for entry in week.reading}:
        if name not in chapters:
            raise ValueError(
                f"reading is {name!r} in {folder / FILE}: expected a chapter that README.md lists, "
                "such as '04_vae'. Correct the name."
            )
    return {
        folder / "syllabus.md": syllabus(weeks, chapters, read_topics(root / "recipes"), groups),
        folder / "papers.md": papers(root, groups, titles),
        folder / "errata.md": errata(table["formulas"], chapters),
    }


def read_index(folder: Path) -> dict[str, Chapter]:
    """Returns the chapters by name, in the order of the course's README.md."""
    index = (folder / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d+ \| \[.*?\]\((\w+)\.md\) \| (\d+) \|", index, re.MULTILINE)
    return {name: Chapter(folder, name, int(minutes)) for name, minutes in rows}


def syllabus(
    weeks: Sequence[Week],
    chapters: Mapping[str, Chapter],
    topics: Topics,
    groups: Mapping[str, Sequence[Group]],
) -> str:
    """Returns the text of the syllabus."""
    usual = statistics.mode(group.record.device for group, *_ in groups.values())
    columns = ("week", "chapters", "minutes to run", "recipes", "minutes to train")
    plan = [header(*columns)]
    parts = []
    for number, week in enumerate(weeks, 1):
        title = f"Week {number}. {week.title}"
        reading = [entry.partition(".") for entry in week.reading]
        links = ", ".join(chapters[name].link(section) for name, _, section in reading)
        own = sum(chapters[name].minutes for name, _, section in reading if not section)
        total = sum(groups[name][0].record.minutes for name in week.recipes if name in groups)
        heading = f"[{number}. {week.title}](#{anchor(title)})"
        plan.append(
            line(heading, links, f"{own or ''}", str(len(week.recipes)), f"{total:,.0f}")
        )
        shown = [
            topic
            for section in topics.values()
            for topic, names in section.items()
            if names[0] in week.recipes
        ]
        parts += [f"## {title}\n", f"Read {links}.\n", f"Topics: {'; '.join(shown)}.\n"]
        parts.append(header("recipe", "metric", "result", "compared with", "minutes", "paper"))
        parts += [_run(name, groups, usual) for name in week.recipes]
        answer = chapters[reading[0][0]].linked(_joined(week.answer))
        parts += [f"\n**Oral exam.** {_joined(week.question)}\n"]
        parts += [f'<details markdown="1"><summary>Answer</summary>\n\n{answer}\n\n</details>\n']
    head = SYLLABUS.format(weeks=len(weeks), device=usual)
    return "\n".join([head, *plan, "", *parts])


def _run(name: str, groups: Mapping[str, Sequence[Group]], usual: str) -> str:
    result = _result(name, groups)
    if name not in groups:
        return line(_recipe(name), *result, "", "")
    record = groups[name][0].record
    minutes = f"{record.minutes:,.1f}" + (
        "" if record.device == usual else f" ({record.device})"
    )
    paper = words.source(groups[name][0].published.paper)
    return line(_recipe(name), *result, minutes, paper)


def _recipe(name: str) -> str:
    return f"[{name}](../../recipes/{name}.py)"


def _result(
    recipe: str, groups: Mapping[str, Sequence[Group]], of: algorithms.Algorithm | None = None
) -> tuple[str, str, str]:
    """Returns the metric of a method (by default the first), its result, and the comparison."""
    if recipe not in groups:
        return "not published yet", "", ""
    group = of.group_of(groups[recipe]) if of else groups[recipe][0]
    metric, entry = algorithms.figure_of(group, of.figure if of else "")
    return metric, words.value(entry), words.beside(entry)


def _joined(text: str) -> str:
    return " ".join(text.split())


def papers(root: Path, groups: Mapping[str, Sequence[Group]], titles: Mapping[str, str]) -> str:
    """Returns the page that links papers to classes, recipes, and results."""
    entries = algorithms.read_algorithms(root)
    files = algorithms.files_of_classes(root)
    recipes = sorted((root / "recipes").glob("*.py"))
    imports = {path.stem: algorithms.imported(path) for path in recipes}
    parts = [PAPERS]
    for family, names in MODELS.items():
        title = titles.get(family, family.replace("_", " ").capitalize())
        parts.append(f"## {title}\n")
        parts.append(header("paper", "class", "recipe", "metric", "result", "compared with"))
        for name in names:
            algorithm = entries[name]
            recipe = algorithms.recipes_of(name, files[name], algorithm.recipe, imports)[0]
            cited = "; ".join(citations(root / files[name], name))
            link = f"[`{name}`](../../{files[name]})"
            result = _result(recipe, groups, algorithm)
            parts.append(line(cited, link, _recipe(recipe), *result))
        parts.append("")
    return "\n".join(parts)


def citations(file: Path, name: str) -> Iterator[str]:
    """Yields the papers that the docstring of a class cites."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            docstring = _joined(ast.get_docstring(node) or "")
            for authors, title, where in _CITATION.findall(docstring):
                yield f"{authors[0].upper()}{authors[1:]}: *{title}*, {where}"


def errata(formulas: Sequence[Mapping[str, str]], chapters: Mapping[str, Chapter]) -> str:
    """Returns the page of errata.

    Args:
        formulas: Errors in formulas, each a dict with the keys `said`, `true`, and `chapter`.
        chapters: Chapters by name; see `read_index`.
    """
    parts = [ERRATA, "## Formulas on slides\n"]
    for each in formulas:
        truth = chapters[each["chapter"]].linked(_joined(each["true"]))
        parts.append(f"- **{each['said']}** {truth}")
    for chapter in chapters.values():
        heading, text = chapter.said
        number = heading.partition(".")[0]
        parts += [f"\n## {chapter.title}\n", f"See {chapter.link(number)}.\n"]
        parts.append(chapter.linked(text))
    return "\n".join(parts) + "\n"
