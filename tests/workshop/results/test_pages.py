"""RESULTS.md, the pages below it, the table of families in README.md, and the words in them."""

import dataclasses
import shutil

import pytest

from keras_gen.workshop.results import Figure, read_groups, write_records
from keras_gen.workshop.results.declarations import read_published
from keras_gen.workshop.results.page_lines import Entry
from keras_gen.workshop.results.pages import (
    BEGIN,
    END,
    KEY,
    NONE,
    Family,
    head,
    index,
    page,
    update,
)
from keras_gen.workshop.results.words import verdict
from toy_results import FID, NLL, make_export, make_groups, make_published, make_record, make_root

pytestmark = pytest.mark.pages


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
        row for row in rows if row and row[0] not in ("metric", "system") and row[0][:1] != "-"
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
    instead = [f"⇒ use {name} instead" for name in baseline if behind]
    assert verdict(entry) == "".join(instead)


@pytest.mark.parametrize(
    ("nll", "missed", "text"),
    [
        (83.9, 0, "met"),
        (84.004, 0, "met"),  # as good in four digits
        (84.006, 0.01, "▽ short of the paper by 0.01"),
        (84.5, 0.5, "▽ short of the paper by 0.5"),
    ],
)
def test_the_paper_is_met_or_missed(nll, missed, text):
    entry = Entry(NLL, (make_record(values={"nll": nll}),))
    assert entry.missed_by == pytest.approx(missed) and verdict(entry) == text
    assert verdict(Entry(FID, (make_record(values={"fid": 1.0}),))) == ""


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
    assert lines(page("vae", [groups], "VAEs"))[0][1] == f"{values[shown]:.2f}"


# Pages -------------------------------------------------------------------------------------------

DECLARED = """
system = "Toy"
family = "vae"
paper = "Toy et al. 2000"
dataset = "Toys of {rate}"
train_size = 100
classifiers = { dense = "accuracy" }

[figures.nll]
metric = "NLL, rate {rate}"
unit = "nats"
paper = "Ting 1999, https://t.org, p. 2"
paper_values.dataset = { cubes = 84.0, balls = 86.0 }
baselines = { PCA = "pca", "known {rate}" = "known" }
references = { "test images" = "floor" }
tolerance = 0.5

[figures.accuracy]
metric = "accuracy"
higher_is_better = true
spread = { "test examples" = "accuracy_error" }
tolerance = 0.1

[matrices.methods]
title = "Methods"
rows = { a = "a", "b {rate}" = "b" }
baselines = { c = "c" }
columns = { x = "{row}x", y = { key = "{row}y", higher_is_better = true } }
tolerance = 1

[matrices.factors]
title = "By penalty"
key = "{row}_{column}"
rows = { a = "a", b = "b" }
columns = { none = "none", R1 = "r1" }
baselines = { mixture = "mixture" }
references = { "test images" = "floor" }
spread = { "test examples" = "{key}_error" }
tolerance = 0.1
"""
VALUES = dict(
    nll=87.5, pca=90.0, known=84.2, floor=80.0, accuracy=0.98765, accuracy_error=0.0023,
    ax=1.0, ay=9.0, bx=2.0, by=3.0, cx=1.0, cy=4.0, mixture=1.7,
    a_none=1.0, a_none_error=0.25, a_r1=9.0, a_r1_error=0.5, b_none=2.0, b_none_error=0.25,
)  # fmt: skip
PAGE = """\
## Toy

Toy et al. 2000.

**`toy --preset cpu --seed 2`**: Toys of 0.1; 100 training examples; 1,000 test examples; \
median of seeds 0, 1, 2; 3.0 minutes.

| metric | result (± 3 seeds) | baseline: known 0.1 | reference: test images | paper | verdict |
|-|-|-|-|-|-|
| NLL, rate 0.1, nats ↓ | 82.0 ± 1.0 | 84.20 | 80.00 | 84 ([Ting 1999](https://t.org)) | met |
| accuracy ↑ | 0.920 ± 0.010 | | | | |

Methods (± 3 seeds)

| | x ↓ | y ↑ |
|-|-|-|
| a | **1.000 ± 0.000** | **9.000 ± 0.000** |
| b 0.1 | 2.000 ± 0.000° | 3.000 ± 0.000° |
| *c* | **1.000 ± 0.000** | 4.000 ± 0.000 |

By penalty ↓ (± 3 seeds; mixture: 1.700; test images: 80.00)

| | none | R1 |
|-|-|-|
| a | **1.000 ± 0.000** | 9.000 ± 0.000° |
| b | 2.000 ± 0.000° | |

Classifier accuracy on held-out data: dense 0.920.

- note 0.
- note 1.

**`toy --preset paper --rate 0.2`**: Toys of 0.2; **90 of 100** training examples; \
1,000 test examples; seed 0; 1.5 minutes; resumed; a GPU.

| metric | result | baseline: known 0.2 | reference: test images | paper | verdict |
|-|-|-|-|-|-|
| NLL, rate 0.2, nats ↓ | 87.50 | 84.20 | 80.00 | 86 ([Ting 1999](https://t.org)) | \
**▽ short of the paper by 1.5, ⇒ use known 0.2 instead** |
| accuracy ↑ | 0.9877 ± 0.0023 (test examples) | | | | |

Methods

| | x ↓ | y ↑ |
|-|-|-|
| a | **1.000** | **9.000** |
| b 0.2 | 2.000° | 3.000° |
| *c* | **1.000** | 4.000 |

By penalty ↓ (± test examples; mixture: 1.700; test images: 80.00)

| | none | R1 |
|-|-|-|
| a | **1.00 ± 0.25** | 9.00 ± 0.50° |
| b | 2.00 ± 0.25° | |

Classifier accuracy on held-out data: dense 0.988.

`cubes --preset paper`: Toys; 60,000 training examples; 1,000 test examples; seed 0; 1.5 minutes.

| metric | result | baseline | verdict |
|-|-|-|-|
| B, nats ↓ | 2.000 | PCA: 1.500 | **⇒ use PCA instead** |
| C ↓ | 3.000 | mean: 4.000 | |
"""
LINES = """\
## [gan](docs/results/gan.md)

| system | class | recipe | metric | result | compared with |
|-|-|-|-|-|-|
| [Car, too](docs/results/gan.md#car-too) | `IWAE`, `VAE` | \
[cars](recipes/cars.py), 3 of 4 | \
NLL, rate 0.1, nats ↓ | 85.50 ± 0.25 (test examples) | paper: 84, **▽ short of the paper** |

## [vae](docs/results/vae.md)

| system | class | recipe | metric | result | compared with |
|-|-|-|-|-|-|
| [Toy](docs/results/vae.md#toy) | `IWAE`, `VAE` | [toy](recipes/toy.py) | \
NLL, rate 0.1, nats ↓ | 82.0 ± 1.0 (3 seeds) | paper: 84 ([Ting 1999](https://t.org)) |
| [Toy](docs/results/vae.md#toy) | `IWAE`, `VAE` | [cubes](recipes/cubes.py) | \
B, nats ↓ | 2.000 | PCA: 1.500, **⇒ use PCA instead** |
"""


@pytest.fixture
def runs(root):
    """A recipe with runs of three seeds and another of a part of the data, and two more recipes."""
    (root / "recipes" / "results").mkdir()
    (root / "recipes" / "results" / "toy.toml").write_text(DECLARED)
    cubes = {"dataset": "cubes"}
    records = [
        make_record(
            f"--preset cpu --seed {seed}", VALUES | {"nll": nll, "accuracy": 0.9 + seed / 100},
            minutes=seed + 1, config=cubes | {"seed": seed}, note=f"note {seed % 2}",
        )
        for seed, nll in enumerate([83.0, 81.0, 82.0])
    ]  # fmt: skip
    part = dict(train_size="90 of 100", device="a GPU", resumed=True)
    balls = {"rate": 0.2, "dataset": "balls"}
    records.append(make_record("--preset paper --rate 0.2", VALUES, config=balls, **part))
    own = make_groups(*records, of=read_published(root, "toy"))
    first = Figure("b", "B", "nats", baselines={"PCA": "pca"}, tolerance=1)
    second = Figure("c", "C", baselines={"mean": "mean"}, tolerance=1)
    record = make_record("--preset paper", dict(b=2, pca=1.5, c=3, mean=4), train_size=60_000)
    others = make_groups(record, of=make_published(first, second), recipe="cubes")
    record = make_record(values={"nll": 85.5, "nll_error": 0.25}, train_size="3 of 4", note="Short")
    cars = make_published(family="gan", system="Car, too")
    return [make_groups(record, of=cars, recipe="cars"), own, others]


def test_a_page_has_all_figures_of_its_runs(runs):
    text = page("vae", runs, "Variational autoencoders")
    assert text.startswith("# Results: Variational autoencoders\n")
    head, first, rest = text.partition("## Toy")
    assert head.endswith(" Runs used 2 CPU cores unless stated otherwise.\n\n")
    assert first + rest == PAGE


def test_the_index_has_the_first_figure_of_each_recipe(runs, root):
    for name in ("cars", "cubes"):
        shutil.copy(root / "recipes" / "toy.py", root / "recipes" / f"{name}.py")
    _, first, rest = index(runs, root).partition("## [gan]")
    assert first + rest == f"{LINES}\n{KEY}"
    assert NONE in index([], root)


# README.md ---------------------------------------------------------------------------------------

TOLD = "{value:.1f} ({baseline:.0%}; {better})"
TOYS = Family("Toys", "all kinds", "toy.png", "a toy", "toy", TOLD)


def test_head_tells_a_figure_of_each_family():
    values = {"nll": 0.5, "pca": 0.25}
    groups = make_groups(make_record(values=values), of=make_published(COMPARED))
    families = {"vae": TOYS, "gan": dataclasses.replace(TOYS, title="More", figure="{paper}")}
    assert head([groups], families).splitlines()[2:] == [
        '| <img src="toy.png" width="180" alt="a toy"> '
        "| **[Toys](docs/results/vae.md)**: all kinds | 0.5 (PCA: 25%; lower is better) |",
        '| <img src="toy.png" width="180" alt="a toy"> '
        "| **[More](docs/results/gan.md)**: all kinds | None |",
    ]
    assert head([], families) == NONE
    with pytest.raises(ValueError, match="lacks vae: add every family that has results"):
        head([groups], {})
    other = {"vae": dataclasses.replace(TOYS, recipe="cubes")}
    with pytest.raises(ValueError, match="shows a metric of cubes, which has no results"):
        head([groups], other)


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
    with pytest.raises(ValueError, match="must contain the table's two markers, each once"):
        update(tmp_path)
    assert not (tmp_path / "RESULTS.md").exists()
