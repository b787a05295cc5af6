"""Pages of the course: complete, and with links to the sections they mention."""

import re

import pytest

import keras_gen
from keras_gen.workshop.results import course_pages
from keras_gen.workshop.results.course_pages import Chapter, citations, read_index
from keras_gen.workshop.results.records import read_records
from processes import RECIPES, ROOT

pytestmark = pytest.mark.pages

FOLDER = ROOT / course_pages.FOLDER


def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def test_each_recipe_and_topic_is_in_one_week():
    weeks = read("syllabus.md").split("\n## Week ")[1:]
    links = [name for week in weeks for name in re.findall(r"^\| \[(\w+)\]", week, re.MULTILINE)]
    assert sorted(links) == sorted(RECIPES)
    shown = re.findall(r"^Topics: (.*)\.$", read("syllabus.md"), re.MULTILINE)
    chapters = course_pages.read_topics(ROOT / "recipes").values()
    topics = [topic for chapter in chapters for topic in chapter]
    assert sorted("; ".join(shown).split("; ")) == sorted(topics)
    assert len(weeks) == len(shown) == 14


def test_each_chapter_is_read():
    assert all(f"]({name}.md)" in read("syllabus.md") for name in read_index(FOLDER))


def test_errata_contain_what_each_chapter_says():
    chapters = read_index(FOLDER)
    errata = read("errata.md")
    assert len(chapters) == len(list(FOLDER.glob("[0-9]*.md")))
    for chapter in chapters.values():
        claims = re.findall(r"^- (\*\*.*?\*\*)", chapter.said[1], re.DOTALL | re.MULTILINE)
        assert len(claims) >= 3 and all(claim in errata for claim in claims), chapter.name


def test_a_class_with_its_own_flags_has_the_result_of_its_own_run():
    (row,) = re.findall(r"^.*\[`ACGAN`\].*$", read("papers.md"), re.MULTILINE)
    records = read_records(ROOT, "conditional_gan_mnist")["conditional_gan_mnist"]
    (record,) = (record for record in records if "--method ac" in record.command)
    assert f"{record.values['agreement']:.4f}" in row


def test_each_class_has_a_row_with_its_paper():
    rows = re.findall(r"^\| (.*: \*.*\*, .*\d{4}) \| \[`(\w+)`\]", read("papers.md"), re.MULTILINE)
    assert sorted(name for _, name in rows) == sorted(keras_gen.__all__)


CITED = {
    'Kim, Mnih: "A Title: It", ICML 2018.': ["Kim, Mnih: *A Title: It*, ICML 2018"],
    'As in van den Oord et al.: "T", arXiv 2006.11239, 2020, sec. 2.': [
        "Van den Oord et al.: *T*, arXiv 2006.11239, 2020"
    ],
    'Ho: "T", 2020, and Rafe, Kim: "U",\n    ICLR 2021.': [
        "Ho: *T*, 2020",
        "Rafe, Kim: *U*, ICLR 2021",
    ],
    'Returns "T", 2020.': [],
}


@pytest.mark.parametrize("text", CITED)
def test_citations(text, tmp_path):
    file = tmp_path / "model.py"
    docstring = f'    """A model.\n\n    {text}\n    """\n'
    file.write_text(f"class Other:\n    pass\n\n\nclass Model:\n{docstring}")
    assert list(citations(file, "Model")) == CITED[text]


def test_sections_and_questions_are_linked(tmp_path):
    said = '## 2. Common claims, and what is true\n\n- **"Yes."** No.\n\n## Questions\n'
    (tmp_path / "04_a.md").write_text(f"# 4. A\n\n## 1. Is it? I = 1\n\n{said}")
    chapter = Chapter(tmp_path, "04_a", 3)
    assert chapter.said[1] == '- **"Yes."** No.'
    assert chapter.link("1") == "[4.1. Is it? I = 1](04_a.md#1-is-it-i--1)"
    linked = chapter.linked("See section\n1, or question 2.")
    assert linked == ("See [section\n1](04_a.md#1-is-it-i--1), or [question 2](04_a.md#questions).")
    with pytest.raises(
        ValueError, match=r"section is 9: expected one of the 2 sections of 04_a\.md"
    ):
        chapter.linked("See section 9.")


def test_a_chapter_that_does_not_exist_is_refused(tmp_path):
    folder = tmp_path / course_pages.FOLDER
    folder.mkdir(parents=True)
    (folder / "README.md").touch()
    week = 'title = "A"\nreading = ["99_none.2"]\nrecipes = []\nquestion = ""\nanswer = ""\n'
    (folder / course_pages.FILE).write_text(f"formulas = []\n[[weeks]]\n{week}")
    with pytest.raises(ValueError, match=r"reading is '99_none' in .*: expected a chapter"):
        course_pages.texts(tmp_path, {}, {})
