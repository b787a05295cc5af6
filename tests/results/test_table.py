"""RESULTS.md and the table in README.md."""

import pytest

from keras_gen.results import write_rows
from keras_gen.results.table import (
    BEGIN,
    END,
    NONE,
    head,
    measured,
    outdated,
    update,
    verdict,
    whole,
)
from toy_results import make_root, make_row


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (86.7649, 0.0521, "86.765 ± 0.052"),
        (86.7649, 2.4, "86.8 ± 2.4"),
        (0.004685, 0.0022123, "0.0047 ± 0.0022"),
        (12345.6, 120.0, "12,346 ± 120"),
        (86.7649, 0.0, "86.76 ± 0.00"),
        (86.7649, None, "86.76"),
        (0.0098702, None, "0.009870"),
        (1234567.0, None, "1,234,567"),
        (-3.14159, None, "-3.142"),
        (0, None, "0.000"),
    ],
)
def test_measured(value, spread, text):
    assert measured(value, spread) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (dict(), "met"),
        (dict(value=84.5), "missed by 0.5"),
        (dict(paper_value=None), "no published figure"),
    ],
)
def test_verdict(changes, text):
    assert verdict(make_row(**changes)) == text


def lines(text, start="| Toy"):
    return [line for line in text.splitlines() if line.startswith(start)]


def test_a_miss_is_shown_with_its_reason():
    text = whole([make_row(value=85.5, note="half a | epoch")])
    assert "| 84 | 85.50 ± 0.25 | **missed by 1.5**: half a \\| epoch |" in text
    assert text.count("half a") == 1
    text = whole([make_row(note="slow disk")])
    assert "| met |" in text and lines(text, "1. ")[0].endswith(". slow disk")


@pytest.mark.parametrize(
    ("changes", "scale"),
    [
        (dict(), "**cpu preset**; 100 examples"),
        (dict(preset="paper"), "paper preset; 100 examples"),
        (dict(preset="paper", train_size="3 + 4"), "paper preset; 3 + 4 examples"),
        (dict(preset="paper", train_size="3 of 4"), "paper preset; **3 of 4** examples"),
        (
            dict(preset="paper", command="python x --preset paper --epochs 2", train_size=60000),
            "**paper preset, 1 flag changed**; 60,000 examples",
        ),
    ],
)
def test_scale_is_seen_at_a_glance(changes, scale):
    (line,) = lines(whole([make_row(**changes)]))
    assert f"| {scale} |" in line


def test_families_runs_and_order():
    rows = [
        make_row(family=family, system=system, metric=metric, command=f"python {system} --{x}")
        for family, system in (("gan", "B"), ("gan", "A"), ("vae", "A"))
        for metric in ("NLL", "FID")
        for x in "ba"
    ]
    text = whole(rows)
    # Of recipes in any order, but the figures of each in its own.
    assert whole(sorted(rows, key=lambda row: row.system)) == text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## gan", "## vae", "## Runs",
    ]  # fmt: skip
    cells = [[cell.strip() for cell in line.split("|")] for line in lines(text, "| ")]
    cells = [row for row in cells if row[1] in "AB"]
    assert len(cells) == 12
    assert [row[1] + row[3][:3] for row in cells[:8:2]] == ["ANLL", "AFID", "BNLL", "BFID"]
    runs = lines(text, tuple("123456789"))
    # System A's commands are the same in both families, so there are four runs.
    assert len(runs) == 4 and runs[0].startswith("1. `python A --b`: seed 0, 2,000 steps, 1.5 min")
    assert text.count("- A: Toy et al. 2000") == 2 and text.endswith(".\n")
    assert {row[-2] for row in cells} == {f"[{n}](#runs)" for n in (1, 2, 3, 4)}


def test_several_seeds():
    text = whole([make_row(seeds=[0, 1], versions={"keras": "3"}, date="2030-01-01")])
    run = "seeds 0, 1, 2,000 steps, 1.5 minutes each, 2 CPU cores, keras 3, 2030-01-01."
    assert lines(text, "1. ")[0].endswith(run)


def cells(text):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines(text)]


@pytest.mark.parametrize(("higher", "best"), [(False, "81.00"), (True, "83.00")])
def test_head_holds_the_best_run_of_each_recipe(higher, best):
    rows = [
        make_row(value=value, spread=None, higher_is_better=higher, command=f"{n}")
        for n, value in enumerate([82.0, 81.0, 83.0])
    ]
    (line,) = cells(head({"toy": rows}))
    assert line[5] == best


def test_head_holds_the_figure_that_comes_first():
    rows = [
        make_row(metric=metric, value=value, spread=None, command=command)
        for command in ("a", "b")
        for metric, value in (("NLL", 85.5), ("FID", 3.0))
    ]
    (line,) = cells(head({"toy": rows}))
    assert line == [
        "Toy", "Toy et al. 2000", "[toy](recipes/toy.py)", "Toys", "NLL, nats ↓", "85.50",
        "84, missed by 1.5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "theirs"),
    [
        (dict(), "84, met"),
        (dict(value=85.5), "84, missed by 1.5"),
        (dict(paper_value=None), ""),
    ],
)
def test_head_says_how_the_score_compares_and_not_why(changes, theirs):
    text = head({"toy": [make_row(note="half an epoch", **changes)]})
    assert cells(text)[0][-1] == theirs and "half" not in text


@pytest.mark.parametrize(
    ("paper", "source"),
    [
        ("Toy & Ting 2000, p. 3", "Toy & Ting 2000"),
        ("Toy 2000, https://t.org/a(89)1; else: Ting 1999", "[Toy 2000](https://t.org/a(89)1)"),
        ("Toy et al. 2000, https://t.org/1.56, table 1", "[Toy et al. 2000](https://t.org/1.56)"),
        ("a talk, undated", "a talk"),
    ],
)
def test_head_links_the_paper(paper, source):
    assert cells(head({"toy": [make_row(paper=paper)]}))[0][1] == source


def test_head_has_a_line_for_each_recipe_with_rows():
    rows = {"z": [make_row(system="Toy A")], "a": [make_row(system="Toy B")], "none": []}
    recipes = [line[2] for line in cells(head(rows))]
    assert recipes == ["[z](recipes/z.py)", "[a](recipes/a.py)"]
    assert head({"none": []}) == NONE


def test_update_and_check(tmp_path):
    root = make_root(tmp_path)
    readme, results = root / "README.md", root / "RESULTS.md"
    assert set(outdated(root)) == {readme, results}
    assert not results.exists()
    assert set(update(root)) == {readme, results} and not update(root) and not outdated(root)
    assert readme.read_text() == f"# Toys\n\n{BEGIN}\n{NONE}\n{END}\n\nMore.\n"
    assert NONE in results.read_text()
    write_rows(root, "toy", [make_row()])
    assert set(update(root)) == {readme, results}
    text = readme.read_text()
    assert text.startswith(f"# Toys\n\n{BEGIN}\n| system |") and text.endswith(f"{END}\n\nMore.\n")
    results.write_text(results.read_text().replace("83.90", "83.80"))
    assert list(outdated(root)) == [results]
    update(root)
    readme.write_text(text.replace("Less", "Much").replace("83.90", "83.80"))
    assert list(outdated(root)) == [readme]
    readme.write_text(text.replace("More", "Much more"))
    assert not outdated(root)


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}\n{BEGIN}\n{END}"])
def test_a_readme_without_marks(tmp_path, text):
    (make_root(tmp_path) / "README.md").write_text(text)
    with pytest.raises(ValueError, match="must hold the table's two marks once"):
        update(tmp_path)
    assert not (tmp_path / "RESULTS.md").exists()
