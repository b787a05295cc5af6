"""RESULTS.md, the pages below it, the table of families in README.md, and the words in them."""

import dataclasses
import statistics

import pytest

from keras_gen.workshop.results import Figure, read_groups, write_records
from keras_gen.workshop.results.declarations import Matrix
from keras_gen.workshop.results.page_lines import Entry
from keras_gen.workshop.results.pages import (
    BEGIN,
    END,
    NONE,
    Family,
    head,
    index,
    outdated,
    page,
    read_families,
    update,
)
from keras_gen.workshop.results.words import measured, source, value, verdict
from toy_results import FID, NLL, make_export, make_groups, make_published, make_record, make_root

pytestmark = pytest.mark.pages


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (86.7649, 0.0521, "86.765 ± 0.052"),
        (86.7649, 2.4, "86.8 ± 2.4"),
        (0.004685, 0.0022123, "0.0047 ± 0.0022"),
        (12345.6, 120.0, "12,346 ± 120"),
        (86.7649, 0.0, "86.76 ± 0.00"),
        (4.709007956599, 8.0e-13, "4.709 ± 0.000"),
        (86.7649, None, "86.76"),
        (0.0098702, None, "0.009870"),
        (1234567.0, None, "1,234,567"),
        (-3.14159, None, "-3.142"),
        (0, None, "0.000"),
    ],
)
def test_measured(value, spread, text):
    assert measured(value, spread) == text


# One figure --------------------------------------------------------------------------------------

COMPARED = dataclasses.replace(
    NLL, no_baseline=None, baselines={"PCA": "pca", "known {rate}": "known"}, paper_value=None,
    references={"test images": "floor"},
)  # fmt: skip


@pytest.fixture
def root(tmp_path):
    """A folder with the recipe of the toy, which uses two classes."""
    recipe = tmp_path / "recipes" / "toy.py"
    recipe.parent.mkdir()
    recipe.write_text("from keras_gen.vae import IWAE, VAE\nfrom keras_gen.data import faces\n")
    return tmp_path


def lines(text):
    """The cells of all lines of tables but headers."""
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in text.splitlines()]
    found = [
        row for row in rows if row and row[0] not in ("figure", "system") and row[0][:1] != "-"
    ]
    return [row for row in found if row[0]]


@pytest.mark.parametrize(
    ("nll", "others", "baseline", "behind"),
    [
        (90.0, dict(pca=90.01, known=95.0), {"PCA": 90.01}, False),
        (90.0, dict(pca=90.004), {"PCA": 90.004}, False),  # as good in four digits
        (90.006, dict(pca=90.0), {"PCA": 90.0}, True),
        (92.0, dict(pca=91.0, known=90.5), {"known 0.1": 90.5}, True),
        (92.0, dict(known=93.0), {"known 0.1": 93.0}, False),
        (92.0, {}, {}, False),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_strongest_baseline(nll, others, baseline, behind, sign):
    figure = dataclasses.replace(COMPARED, higher_is_better=sign < 0)
    values = {key: sign * value for key, value in (dict(nll=nll) | others).items()}
    entry = Entry(figure, (make_record(values=values),))
    assert entry.baseline == {name: sign * value for name, value in baseline.items()}
    assert entry.is_behind == behind
    assert verdict(entry) == ("behind its baseline" if behind else "")


@pytest.mark.parametrize(
    ("nll", "missed", "text"),
    [
        (83.9, 0, "met"),
        (84.004, 0, "met"),  # as good in four digits
        (84.006, 0.01, "missed by 0.01"),
        (84.5, 0.5, "missed by 0.5"),
    ],
)
def test_the_paper_is_met_or_missed(nll, missed, text):
    entry = Entry(NLL, (make_record(values={"nll": nll}),))
    assert entry.missed_by == pytest.approx(missed) and verdict(entry) == text
    assert verdict(Entry(FID, (make_record(values={"fid": 1.0}),))) == ""


@pytest.mark.parametrize(
    ("value", "other", "higher", "expected"),
    [
        (83.0, 84.0, False, 0),
        (84.0, 84.0, False, 0),
        (85.5, 84.0, False, 1.5),
        (85.5, 84.0, True, 0),
        (0.9, 0.95, True, 0.05),
        (0.1, 0.0, False, 0.1),
        (-5.0, -6.0, False, 1.0),
        (12345, 12340, False, 0),
    ],
)
def test_worse_by(value, other, higher, expected):
    worse = dataclasses.replace(NLL, higher_is_better=higher).worse_by(value, other)
    assert worse == pytest.approx(expected, abs=1e-9) and (worse > 0) == (expected > 0)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (dict(), "83.90 ± 0.25 (test examples)"),
        (dict(spread=None, spread_of=None), "83.90"),
        (dict(spread_of="label draws", seeds="repeats"), "83.90 ± 0.25 (3 label draws)"),
    ],
)
def test_a_spread_names_its_kind(changes, text):
    record = make_record(config={"repeats": 3})
    assert value(Entry(dataclasses.replace(NLL, **changes), (record,))) == text


# Runs of several seeds ---------------------------------------------------------------------------


def seeds_of(*values, higher=False):
    """The groups of runs that differ in their seed."""
    records = [
        make_record(
            f"--preset cpu --seed {seed}", {"nll": value, "fid": 2.0**seed}, minutes=seed + 1,
            config={"seed": seed}, note=f"note {seed % 2}",
        )
        for seed, value in enumerate(values)
    ]  # fmt: skip
    first = dataclasses.replace(NLL, higher_is_better=higher)
    return make_groups(*records, of=make_published(first, FID))


def test_of_several_seeds_the_median_run_is_shown(root):
    (group,) = seeds_of(83.0, 81.0, 82.0)
    nll, fid = group.entries
    # The other figures are those of the same run, though it is not their median.
    assert (nll.value, fid.value) == (82.0, 4.0)
    assert nll.spread == (1.0, "3 seeds") and fid.spread[0] == statistics.stdev([1, 2, 4])
    text = page("vae", [[group]])
    assert "toy --preset cpu --seed 2`**: Toys; training 100; test, 1,000; median of seeds" in text
    assert "seeds 0, 1, 2; 3.0 minutes.\n" in text
    assert lines(text)[0][:2] == ["NLL, rate 0.1, nats ↓", "82.0 ± 1.0"]
    assert "- note 0.\n- note 1.\n" in text
    assert "82.0 ± 1.0 (3 seeds)" in index([[group]], root)


@pytest.mark.parametrize(("higher", "worse"), [(False, 83.0), (True, 81.0)])
def test_of_two_seeds_the_worse_is_shown(higher, worse):
    (group,) = seeds_of(83.0, 81.0, higher=higher)
    assert group.entries[0].value == worse


@pytest.mark.parametrize(
    ("commands", "shown"),
    [
        (["--preset cpu --rate 2", "--preset cpu", "--preset cpu --rate 3"], 1),
        (["--preset cpu", "--preset paper"], 1),
        (["--preset cpu", "--preset paper --rate 2"], 0),
        (["--preset cpu --rate 2", "--preset cpu --rate 3"], 0),
    ],
)
@pytest.mark.parametrize("values", [(82.0, 81.0, 83.0), (82.0, 83.0, 81.0)])
def test_the_headline_is_of_the_run_nearest_to_a_preset_whatever_its_value(
    commands, shown, values, root
):
    records = [
        make_record(command, {"nll": value}, config={"command": command})
        for command, value in zip(commands, values, strict=False)
    ]
    groups = make_groups(*records)
    assert groups[0].entries[0].value == values[shown]
    assert lines(index([groups], root))[0][4] == f"{values[shown]:.2f}"
    assert lines(page("vae", [groups]))[0][1] == f"{values[shown]:.2f}"


# Pages -------------------------------------------------------------------------------------------


def test_a_figure_stands_with_its_baseline_reference_and_verdict_in_one_line():
    values = {"nll": 85.5, "pca": 84.2, "floor": 80.0}
    figure = dataclasses.replace(COMPARED, paper_value=84.0, paper="Ting 1999, https://t.org, p. 2")
    text = page("vae", [make_groups(make_record(values=values), of=make_published(figure))])
    assert "| figure | ours | baseline: PCA | reference: test images | paper | verdict |" in text
    assert lines(text) == [[
        "NLL, rate 0.1, nats ↓", "85.50", "84.20", "80.00", "84 ([Ting 1999](https://t.org))",
        "**missed by 1.5, behind its baseline**",
    ]]  # fmt: skip


def test_a_paper_may_have_a_value_for_each_of_a_setting():
    figure = dataclasses.replace(COMPARED, paper_values={"rate": {0.1: 84.0, 0.2: 83.0}})
    found = [
        make_groups(
            make_record(values={"nll": 83.5}, config={"rate": rate}), of=make_published(figure)
        )
        for rate in (0.1, 0.2, 0.3)
    ]
    assert [groups[0].entries[0].paper_value for groups in found] == [84.0, 83.0, None]
    assert [groups[0].entries[0].missed_by for groups in found] == [0.0, 0.5, None]
    text = page("vae", [found[1]])
    assert lines(text) == [["NLL, rate 0.2, nats ↓", "83.50", "83", "**missed by 0.5**"]]


def test_names_stand_in_their_cells_where_they_differ():
    other = dataclasses.replace(COMPARED, key="b", metric="B", baselines={"mean": "mean"})
    values = {"nll": 85.5, "pca": 84.2, "known": 90.0, "b": 1.0, "mean": 2.0}
    groups = make_groups(make_record(values=values), of=make_published(COMPARED, other))
    text = page("vae", [groups])
    assert "| figure | ours | baseline | verdict |" in text
    assert [row[2] for row in lines(text)] == ["PCA: 84.20", "mean: 2.000"]


@pytest.mark.parametrize(
    ("record", "command", "facts"),
    [
        (dict(), "**`toy --preset cpu`**", "training 100; test, 1,000; seed 0; 1.5 minutes."),
        (dict(command="--preset paper"), "`toy --preset paper`", "training 100;"),
        (dict(command="--preset paper --rate 2"), "**`toy --preset paper --rate 2`**", ""),
        (dict(train_size="3 of 4"), "**`toy --preset cpu`**", "training **3 of 4**;"),
        (dict(train_size=60000), "**`toy --preset cpu`**", "training 60,000;"),
        (
            dict(resumed=True),
            "**`toy --preset cpu`**",
            "training 100; test, 1,000; seed 0; 1.5 minutes; resumed.",
        ),
    ],
)
def test_scale_is_seen_at_a_glance(record, command, facts):
    text = page("vae", [make_groups(make_record(**record))])
    assert f"\n{command}: Toys; {facts}" in text


def test_a_device_is_named_if_it_is_another_than_most():
    records = [make_record(f"--preset cpu --n {n}", config={"n": n}) for n in range(3)]
    records[2] = dataclasses.replace(records[2], device="a GPU")
    text = page("vae", [make_groups(*records)])
    assert "Runs had 2 CPU cores, unless" in text and text.count("minutes; a GPU.") == 1


def test_families_systems_and_order(root):
    def recipe(family, system, name):
        return make_groups(of=make_published(family=family, system=system), recipe=name)

    runs = [recipe("gan", "A", "a1"), recipe("gan", "A", "a2"), recipe("vae", "B, too", "b")]
    for name in ("a1", "a2", "b"):
        (root / "recipes" / f"{name}.py").touch()
    text = index(runs, root)
    assert "## [gan](docs/results/gan.md)\n\n| system |" in text
    assert [row[0] for row in lines(text)] == [
        "[A](docs/results/gan.md#a)", "[A](docs/results/gan.md#a)",
        "[B, too](docs/results/vae.md#b-too)",
    ]  # fmt: skip
    text = page("gan", runs)
    assert text.count("## A\n") == 1 and text.count("Toy et al. 2000.\n") == 1
    assert text.index("`a1 --preset cpu`") < text.index("`a2 --preset cpu`") and "B" not in text
    assert NONE in index([], root)


def cell(key, **changes):
    return Figure(key, key, tolerance=1, **changes)


def compare(values, is_one_measure=False, **changes):
    """The text of a matrix of methods a and b, and of the baseline c, with two columns."""
    against = dict(baselines={"c": "cx"}) if is_one_measure else {}
    row = {
        name: tuple(cell(f"{name}{column}", **against | changes) for column in "xy")
        for name in "abc"
    }
    if not is_one_measure:
        for name in "ab":
            row[name] = tuple(
                dataclasses.replace(figure, baselines={"c": f"c{column}"})
                for figure, column in zip(row[name], "xy", strict=True)
            )
    others = {} if is_one_measure else {"c": row["c"]}
    rows = {"a": row["a"], "b {rate}": row["b"]}
    matrix = Matrix("Methods", ("x", "y"), rows, others, {}, is_one_measure)
    published = make_published(matrices=(matrix,))
    text = page("vae", [make_groups(make_record(values={"nll": 80.0} | values), of=published)])
    return text[text.index("Methods") :].splitlines()


def test_a_matrix_has_the_best_of_each_column_in_bold():
    text = compare(dict(ax=1.0, ay=9.0, bx=2.0, by=3.0, cx=1.5, cy=4.0))
    assert text == [
        "Methods ↓",
        "",
        "| | x | y |",
        "|-|-|-|",
        "| a | **1.000** | 9.000° |",
        "| b 0.1 | 2.000° | **3.000** |",
        "| *c* | 1.500 | 4.000 |",
    ]
    text = compare(dict(ax=1.0, bx=2.0, cx=2.0, by=1.0), higher_is_better=True)
    assert text[0] == "Methods ↑"
    assert text[4:] == [
        "| a | 1.000° | |",
        "| b 0.1 | **2.000** | 1.000 |",
        "| *c* | **2.000** | |",
    ]


def test_a_matrix_of_one_measure_has_one_best_cell():
    text = compare(dict(ax=1.0, ay=9.0, bx=2.0, by=0.5, cx=0.7), is_one_measure=True)
    assert text[0] == "Methods ↓ (c: 0.7000)"
    assert text[4:] == ["| a | 1.000° | 9.000° |", "| b 0.1 | 2.000° | **0.5000** |"]


def test_spreads_of_a_matrix_are_named_once():
    changes = dict(spread="{key}", spread_of="test examples")
    (first, *_) = compare(dict(ax=1.0, bx=2.0) | {"{key}": 0.25}, **changes)
    assert first == "Methods ↓ (± test examples)"


def test_classifiers_report_their_accuracy():
    published = make_published(classifiers={"dense": "accuracy"})
    groups = make_groups(make_record(values={"nll": 80.0, "accuracy": 0.98765}), of=published)
    assert "Classifiers' accuracy, held out: dense 0.988.\n" in page("vae", [groups])


def test_the_index_holds_the_figure_that_comes_first(root):
    record = make_record(values={"nll": 85.5, "nll_error": 0.25, "fid": 3.0}, note="half an epoch")
    text = index([make_groups(record)], root)
    assert lines(text) == [[
        "[Toy](docs/results/vae.md#toy)", "`IWAE`, `VAE`", "[toy](recipes/toy.py)",
        "NLL, rate 0.1, nats ↓", "85.50 ± 0.25 (test examples)", "paper: 84, **behind**",
    ]]  # fmt: skip
    assert "half" not in text


def test_the_index_says_what_is_behind(root):
    groups = make_groups(
        make_record(values={"nll": 95.0, "pca": 90.0}), of=make_published(COMPARED)
    )
    assert lines(index([groups], root))[0][4:] == ["95.00", "PCA: 90.00, **behind**"]


@pytest.mark.parametrize(
    ("paper", "found"),
    [
        ("Toy & Ting 2000, p. 3", "Toy & Ting 2000"),
        ("Toy 2000, https://t.org/a(89)1; else: Ting 1999", "[Toy 2000](https://t.org/a(89)1)"),
        ("Toy et al. 2000, https://t.org/1.56, table 1", "[Toy et al. 2000](https://t.org/1.56)"),
        ("a talk, undated", "a talk"),
    ],
)
def test_the_source_of_a_paper(paper, found):
    assert source(paper) == found


# README.md ---------------------------------------------------------------------------------------

TOYS = Family("Toys", "all kinds", "toy.png", "a toy", "toy", "{value:.1f}, beside {baseline:.0%}")


def test_head_tells_a_figure_of_each_family():
    values = {"nll": 0.5, "pca": 0.25}
    groups = make_groups(make_record(values=values), of=make_published(COMPARED))
    families = {"vae": TOYS, "gan": dataclasses.replace(TOYS, title="More", figure="{paper}")}
    assert head([groups], families).splitlines()[2:] == [
        '| <img src="toy.png" width="150" alt="a toy"> '
        "| **[Toys](docs/results/vae.md)**: all kinds | 0.5, beside 25% |",
        '| <img src="toy.png" width="150" alt="a toy"> '
        "| **[More](docs/results/gan.md)**: all kinds | None |",
    ]
    assert head([], families) == NONE
    with pytest.raises(ValueError, match="lacks vae, which has results: add it"):
        head([groups], {})
    other = {"vae": dataclasses.replace(TOYS, recipe="cubes")}
    with pytest.raises(ValueError, match="tells a figure of cubes, which has no results"):
        head([groups], other)


def test_update_and_check(tmp_path):
    root = make_root(tmp_path)
    readme, results = root / "README.md", root / "RESULTS.md"
    assert read_families(root)["vae"].title == "Toys"
    family = root / "docs" / "results" / "vae.md"
    assert set(outdated(root)) == {readme, results} and not results.exists()
    assert set(update(root)) == {readme, results} and not update(root) and not outdated(root)
    assert readme.read_text() == f"# Toys\n\n{BEGIN}\n{NONE}\n{END}\n\nMore.\n"
    assert NONE in results.read_text()
    write_records(root, "toy", [make_record()])
    assert set(update(root)) == {readme, results, family}
    text = readme.read_text()
    assert text.startswith(f"# Toys\n\n{BEGIN}\n| drawn&nbsp;by&nbsp;its&nbsp;recipes | methods |")
    assert "83.9 nats; in the paper 84 |\n" in text and text.endswith(f"{END}\n\nMore.\n")
    family.write_text(family.read_text().replace("83.90", "83.80"))
    assert list(outdated(root)) == [family]
    update(root)
    readme.write_text(text.replace("83.9", "83.8"))
    assert list(outdated(root)) == [readme]
    readme.write_text(text.replace("More", "Much more"))
    assert not outdated(root)


@pytest.mark.parametrize(
    ("exported", "fact"),
    [
        (2.0, "; 1.5 minutes; exported."),
        (3.0, "; 1.5 minutes; seed 2 exported."),
        (4.0, "; 1.5 minutes."),
    ],
)
def test_the_run_whose_weights_are_kept_is_named(tmp_path, exported, fact):
    root = make_root(tmp_path)
    values = {"nll": 80.0, "nll_error": 0.25}
    records = []
    for seed, fid in enumerate([1.0, 2.0, 3.0]):
        record = make_record(
            f"--preset cpu --seed {seed}",
            values | {"nll": 80.0 + fid, "fid": fid},
            config={"seed": seed},
        )
        records.append(record)
    write_records(root, "toy", records)
    metrics = values | {"nll": 80.0 + exported, "fid": exported}
    make_export(root / "saved_models" / "toy" / "1", metrics=metrics)
    update(root)
    assert fact in (root / "docs" / "results" / "vae.md").read_text()


def test_the_headline_is_of_the_exported_run(tmp_path):
    root = make_root(tmp_path)
    values = {"nll": 80.0, "nll_error": 0.25, "fid": 1.0}
    longer = make_record("--preset cpu --epochs 90", values, config={"epochs": 90})
    write_records(root, "toy", [make_record(), longer])
    assert [group.exported for group in read_groups(root)["toy"]] == [None, None]
    make_export(root / "saved_models" / "toy" / "1", config={"epochs": 90}, metrics=values)
    first, second = read_groups(root)["toy"]
    assert first.exported is first.record and first.entries[0].value == 80.0
    assert second.exported is None
    update(root)
    assert "80.0 nats; in the paper 84 |" in (root / "README.md").read_text()


@pytest.mark.parametrize(
    ("nll", "error", "exported"), [(80.0, 0.25, True), (81.0, 0.25, False), (80.0, 0.5, False)]
)
def test_a_baseline_may_be_measured_after_the_export(tmp_path, nll, error, exported):
    """The export knows nothing of it; what it knows is as published."""
    root = make_root(tmp_path)
    values = {"nll": 80.0, "nll_error": 0.25, "fid": 1.0}
    write_records(root, "toy", [make_record(values=values | {"later": 79.0})])
    metrics = values | {"nll": nll, "nll_error": error}
    make_export(root / "saved_models" / "toy" / "1", metrics=metrics)
    (group,) = read_groups(root)["toy"]
    assert (group.exported is group.record) == exported


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}\n{BEGIN}\n{END}"])
def test_a_readme_without_marks(tmp_path, text):
    (make_root(tmp_path) / "README.md").write_text(text)
    with pytest.raises(ValueError, match="must hold the table's two marks once"):
        update(tmp_path)
    assert not (tmp_path / "RESULTS.md").exists()
