"""RESULTS.md and the table in README.md."""

import dataclasses
import statistics

import pytest
from keras_gen.results.table import (
    BEGIN,
    END,
    NONE,
    head,
    measured,
    outdated,
    update,
    value,
    verdict,
    whole,
)

from keras_gen.results import Figure, write_rows
from toy_results import FID, NLL, make_published, make_root, make_row, make_runs


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


PCA = Figure("pca", "PCA", "nats", tolerance=1, role="baseline")
CHECK = Figure("check", "known PCA", "nats", paper_value=90.0, tolerance=1, role="check")
BASELINES = {"PCA": "pca", "known PCA": "check"}
AGAINST = make_published(
    dataclasses.replace(NLL, no_baseline=None, baselines=BASELINES, paper_value=None), PCA, CHECK
)


def against(nll, **others):
    """The lines of a run in which baselines were measured too."""
    values = {"nll": nll} | others
    return make_runs(*(make_row(figure=k, value=v) for k, v in values.items()), of=AGAINST)[0]


@pytest.mark.parametrize(
    ("nll", "others", "text"),
    [
        (90.0, dict(pca=90.01, check=95.0), "no published figure"),
        (90.0, dict(pca=90.004), "no published figure"),
        (90.006, dict(pca=90.0), "behind its baseline (PCA: 90.00)"),
        (92.0, dict(pca=91.0, check=90.5), "behind its baseline (known PCA: 90.50)"),
        (92.0, dict(pca=91.0, check=95.0), "behind its baseline (PCA: 91.00)"),
        (92.0, dict(check=93.0), "no published figure"),
        (92.0, {}, "no published figure"),
    ],
)
def test_what_is_worse_than_the_strongest_baseline_is_behind(nll, others, text):
    run = against(nll, **others)
    assert verdict(run[0]) == text
    assert (f"| **{text}** |" in whole([run])) == (text in head({"toy": [run]})) == run[0].is_behind


def test_higher_may_be_better():
    figures = [dataclasses.replace(f, higher_is_better=True) for f in AGAINST.figures]
    rows = [make_row(figure=key, value=value) for key, value in dict(nll=3, pca=4, check=5).items()]
    ((entry, *_),) = make_runs(*rows, of=make_published(*figures))
    assert verdict(entry) == "behind its baseline (known PCA: 5.000)"


def test_a_check_is_never_met():
    _, pca, check = against(80.0, pca=90.0, check=90.0)
    assert (verdict(pca), verdict(check)) == ("baseline", "check")
    assert verdict(against(80.0, check=91.0)[1]) == "check, missed by 1"


@pytest.mark.parametrize(
    ("changes", "missed", "text"),
    [
        (dict(), 0, "met"),
        (dict(value=84.004), 0, "met"),  # as good in four digits
        (dict(value=84.006), 0.01, "missed by 0.01"),
        (dict(value=84.5), 0.5, "missed by 0.5"),
    ],
)
def test_verdict(changes, missed, text):
    ((entry,),) = make_runs(make_row(**changes))
    assert entry.missed_by == pytest.approx(missed) and verdict(entry) == text
    assert verdict(make_runs(make_row(figure="fid"))[0][0]) == "no published figure"


@pytest.mark.parametrize(
    ("value", "other", "higher", "expected"),
    [
        (83.0, 84.0, False, 0),
        (84.0, 84.0, False, 0),
        (85.5, 84.0, False, 1.5),
        (85.5, 84.0, True, 0),
        (82.0, 84.0, True, 2.0),
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
        (dict(spread_of="seeds", seeds=[0, 1, 2, 3, 4]), "83.90 ± 0.25 (5 seeds)"),
        (dict(spread_of="label draws", seeds=[0, 1, 2]), "83.90 ± 0.25 (3 label draws)"),
    ],
)
def test_a_spread_names_its_kind(changes, text):
    assert value(make_runs(make_row(**changes))[0][0]) == text
    assert f"| {text} |" in whole(make_runs(make_row(**changes)))


def seeds_of(*values, fid=(1.0, 2.0, 4.0), higher=False):
    """Lines of runs that differ in their seed."""
    rows = [
        make_row(
            figure=key, value=value, seeds=[seed], config={"seed": seed}, minutes=seed + 1,
            command=f"python recipes/toy.py --preset cpu --seed {seed}", note=f"note {seed % 2}",
        )
        for seed, (nll, score) in enumerate(zip(values, fid, strict=False))
        for key, value in {"nll": nll, "fid": score}.items()
    ]  # fmt: skip
    first = dataclasses.replace(NLL, higher_is_better=higher)
    return make_runs(*rows, of=make_published(first, FID))


def test_of_several_seeds_the_median_run_is_shown():
    ((nll, fid),) = seeds_of(83.0, 81.0, 82.0)
    assert nll.row.seeds == fid.row.seeds == [2]
    # The other figures are those of the same run, though it is not their median.
    assert (nll.row.value, fid.row.value) == (82.0, 4.0)
    assert nll.spread == (1.0, "3 seeds") and fid.spread[0] == statistics.stdev([1, 2, 4])
    text = whole(seeds_of(83.0, 81.0, 82.0))
    assert len(lines(text)) == 2 and "| 82.0 ± 1.0 (3 seeds) | met |" in text
    (run,) = lines(text, "1. ")
    assert "--seed 2`: the median of seeds 0, 1, 2, 2,000 steps, 3.0 minutes" in run
    assert run.endswith("note 0 note 1")
    assert "82.0 ± 1.0 (3 seeds)" in head({"toy": seeds_of(83.0, 81.0, 82.0)})


@pytest.mark.parametrize(("higher", "worse"), [(False, 83.0), (True, 81.0)])
def test_of_two_seeds_the_worse_is_shown(higher, worse):
    ((nll, _),) = seeds_of(83.0, 81.0, higher=higher)
    assert nll.row.value == worse


def lines(text, start="| Toy"):
    return [line for line in text.splitlines() if line.startswith(start)]


def test_a_miss_is_shown_with_its_reason():
    text = whole(make_runs(make_row(value=85.5, note="half a | epoch")))
    assert "| 84 | 85.50 ± 0.25 (test examples) | **missed by 1.5**: half a \\| epoch |" in text
    assert text.count("half a") == 1
    text = whole(make_runs(make_row(note="slow disk")))
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
    (line,) = lines(whole(make_runs(make_row(**changes))))
    assert f"| {scale} |" in line


def test_families_runs_and_order():
    runs = [
        run
        for family, system in (("gan", "B"), ("gan", "A"), ("vae", "A"))
        for run in make_runs(
            *(
                make_row(figure=key, command=f"python {system} --{rate}", config={"rate": rate})
                for key in ("fid", "nll")
                for rate in "ba"
            ),
            of=make_published(family=family, system=system),
        )
    ]
    text = whole(runs)
    # Of recipes in any order, but the figures of each as it declares them.
    assert whole(sorted(runs, key=lambda run: run[0].published.system)) == text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## gan", "## vae", "## Runs",
    ]  # fmt: skip
    cells = [[cell.strip() for cell in line.split("|")] for line in lines(text, "| ")]
    cells = [row for row in cells if row[1] in "AB"]
    assert [row[1] + row[3][:3] for row in cells] == ["ANLL", "AFID"] * 2 + ["BNLL", "BFID"] * 2 + [
        "ANLL", "AFID"
    ] * 2  # fmt: skip
    numbered = lines(text, tuple("123456789"))
    assert len(numbered) == 6
    assert numbered[0].startswith("1. `python A --b`: seed 0, 2,000 steps, 1.5 min")
    assert text.count("- A: Toy et al. 2000") == 2 and text.endswith(".\n")
    assert [row[-2] for row in cells[::2]] == [f"[{n}](#runs)" for n in range(1, 7)]


def test_facts_of_a_run():
    text = whole(make_runs(make_row(seeds=[0, 1], versions={"keras": "3"}, date="2030-01-01")))
    run = "seeds 0, 1, 2,000 steps, 1.5 minutes, 2 CPU cores, keras 3, 2030-01-01."
    assert lines(text, "1. ")[0].endswith(run)


def cells(text):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines(text)]


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
def test_head_holds_the_run_nearest_to_a_preset_whatever_its_value(commands, shown, values):
    rows = [
        make_row(
            value=value, spread=None, spread_of=None, command=f"python recipes/toy.py {command}",
            config={"command": command}, preset=command.split()[1],
        )
        for command, value in zip(commands, values, strict=False)
    ]  # fmt: skip
    (line,) = cells(head({"toy": make_runs(*rows)}))
    assert line[5] == f"{values[shown]:.2f}"


def test_head_holds_the_figure_that_comes_first():
    rows = [make_row(figure="fid", value=3.0), make_row(value=85.5, note="half an epoch")]
    text = head({"toy": make_runs(*rows)})
    assert cells(text) == [[
        "Toy", "Toy et al. 2000", "[toy](recipes/toy.py)", "Toys", "NLL, nats ↓",
        "85.50 ± 0.25 (test examples)", "none: a toy", "84, missed by 1.5",
    ]]  # fmt: skip
    assert "half" not in text


@pytest.mark.parametrize(
    ("nll", "others", "ours", "baseline"),
    [
        (80.0, dict(pca=90.0), "80.00 ± 0.25 (test examples)", "PCA: 90.00"),
        (
            95.0,
            dict(pca=90.0),
            "95.00 ± 0.25 (test examples), behind its baseline (PCA: 90.00)",
            "PCA: 90.00",
        ),
        (80.0, {}, "80.00 ± 0.25 (test examples)", "not yet measured"),
    ],
)
def test_head_has_the_baseline_beside_ours(nll, others, ours, baseline):
    (line,) = cells(head({"toy": [against(nll, **others)]}))
    assert line[5:] == [ours, baseline, ""]


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
    text = head({"toy": make_runs(of=make_published(paper=paper))})
    assert cells(text)[0][1] == source


def test_a_value_of_another_paper_names_it_in_both_tables():
    first = dataclasses.replace(NLL, paper="Ting 1999, https://t.org, table 2")
    runs = make_runs(of=make_published(first))
    assert cells(head({"toy": runs}))[0][-1] == "84 ([Ting 1999](https://t.org)), met"
    assert "| 84 ([Ting 1999](https://t.org)) | 83.90" in whole(runs)


def test_head_has_a_line_for_each_recipe_with_rows():
    runs = {"z": make_runs(of=make_published(system="Toy A"))}
    runs["a"] = make_runs(of=make_published(system="Toy B"))
    recipes = [line[2] for line in cells(head(runs))]
    assert recipes == ["[z](recipes/z.py)", "[a](recipes/a.py)"]
    assert head({}) == NONE


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
