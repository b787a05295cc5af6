"""What recipes may publish."""

import dataclasses
import re

import pytest

from keras_gen.results import Figure, Published, read_published
from processes import RECIPES, ROOT
from toy_results import FID, NLL, PUBLISHED, make_published, make_root


def test_measured():
    assert NLL.measured({"nll": 3, "nll_error": 0.5}) == (3, 0.5)
    assert FID.measured({"fid": 2.5}) == (2.5, None)


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({"loss": 1.0, "device": "x"}, "there is no 'nll' in .* numbers there: loss. Run"),
        ({"nll": 1.0}, "there is no 'nll_error'"),
        ({"nll": None, "nll_error": 1}, "'nll' is None in the metrics where a finite number"),
        ({"nll": float("nan")}, "'nll' is nan"),
        ({"nll": True}, "'nll' is True"),
        ({}, "numbers there: none"),
    ],
)
def test_what_is_not_measured(metrics, message):
    with pytest.raises(ValueError, match=message):
        NLL.measured(metrics)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(tolerance=0), "the tolerance of k is 0: it must be positive"),
        (dict(tolerance=float("nan")), "the tolerance of k is nan"),
        (dict(tolerance=1, paper_value=float("inf")), "the paper's k is inf"),
        (dict(tolerance=1, metric=""), "metric '': give both a name"),
        (dict(tolerance=1, spread="error"), "spread 'error', spread_of None and seeds None: a"),
        (dict(tolerance=1, spread_of="test examples"), "spread None, spread_of 'test examples'"),
        (dict(tolerance=1, spread="e", spread_of="luck"), "spread_of 'luck' .* is of seeds, test"),
        (dict(tolerance=1, spread="e", spread_of="seeds"), "seeds or label draws, seeds is the"),
        (dict(tolerance=1, spread="e", spread_of="subsets", seeds="n"), "and seeds 'n': a spread"),
        (dict(tolerance=1, role="floor"), "the role of k is 'floor': use baseline, reference, ch"),
    ],
)
def test_bad_figures(changes, message):
    with pytest.raises(ValueError, match=message):
        Figure(**dict(key="k", metric="m", unit="") | changes)


def compared(key="nll", metric="NLL", **changes):
    """The first figure, against itself or another."""
    return dataclasses.replace(NLL, key=key, metric=metric, no_baseline=None, **changes)


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ((NLL, NLL), "two figures have the key 'nll'"),
        ((NLL, compared("b")), "two figures have the metric 'NLL'"),
        ((compared(),), "nll comes first: give it baselines, .* or else no_baseline"),
        ((compared(baselines={"PCA": "gone"}),), "Toy has no figure 'gone': add it"),
        ((compared(baselines={"PCA": "nll"}),), "nll cannot be the baseline of nll"),
        ((compared(baselines={"PCA": "fid"}), FID), "fid cannot be the baseline of nll: .* unit"),
        ((compared(baselines={"PCA": "b"}), compared("b", "B", higher_is_better=True)), "b cannot"),
        (
            (dataclasses.replace(NLL, baselines={"PCA": "b"}), compared("b", "B")),
            "nll comes first: give it baselines, .* or else no_baseline",
        ),
    ],
)
def test_bad_declarations(figures, message):
    with pytest.raises(ValueError, match=message):
        make_published(*figures)


def test_what_is_empty_is_refused():
    make_published(compared(baselines={"PCA": "b"}), compared("b", "B"))
    with pytest.raises(ValueError, match="system is empty"):
        make_published(system="")
    with pytest.raises(ValueError, match="figures is empty"):
        Published("Toy", "vae", "Toy et al. 2000", "Toys", ())


def test_figures_take_what_all_share(tmp_path):
    assert read_published(make_root(tmp_path), "toy") == make_published()


def test_what_others_name_is_a_baseline(tmp_path):
    root = make_root(tmp_path)
    text = """
[figures.pca]
metric = "PCA"
unit = "nats"

[figures.known]
metric = "known"
unit = "nats"
role = "check"
"""
    baselines = 'baselines = { PCA = "pca", known = "known" }'
    named = PUBLISHED.replace('no_baseline = "a toy"', baselines) + text
    (root / "recipes" / "results" / "toy.toml").write_text(named)
    published = read_published(root, "toy")
    assert [figure.role for figure in published.figures] == [None, None, "baseline", "check"]
    assert published.figure("nll").baselines == {"PCA": "pca", "known": "known"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[all]", "[all", "toml cannot be used: "),
        ('system = "Toy"', "", "missing 1 required positional argument: 'system'"),
        ("train_size", "size", "unexpected keyword argument 'size'"),
        (
            "train_size",
            "datasets.balls = {size = 3}\ntrain_size",
            "unexpected keyword argument 'size'",
        ),
        ("train_size", "datasets.balls = {dataset = ''}\ntrain_size", "dataset is empty"),
        (
            "train_size",
            "datasets.balls = {without = ['psnr']}\ntrain_size",
            "has no figure 'psnr'",
        ),
        ("tolerance = 0.1", "tolerance = 0", "the tolerance of fid is 0"),
        ("tolerance = 0.1", "direction = 1", "unexpected keyword argument 'direction'"),
        ("[figures.fid]", "[figures]", "toml cannot be used: "),
        ('spread_of = "test examples"', "", "nll has spread 'nll_error', spread_of None"),
        ('no_baseline = "a toy"', "", "nll comes first: give it baselines"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, old, new, message):
    root = make_root(tmp_path)
    (root / "recipes" / "results" / "toy.toml").write_text(PUBLISHED.replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_published(root, "toy")
    with pytest.raises(FileNotFoundError, match=r"other\.toml: it says what other publishes"):
        read_published(root, "other")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_publishes_what_its_docstring_cites(name):
    """That the first figure has a baseline, or a reason, and a spread its kind, reading checks."""
    published = read_published(ROOT, name)
    doc = (ROOT / "recipes" / f"{name}.py").read_text().split('"""')[1]
    papers = {published.paper, *filter(None, (figure.paper for figure in published.figures))}
    for paper in papers:
        cited = re.match(r".*?\b\d{4}\b", paper)[0]
        missing = [word for word in re.findall(r"[A-Z]\w+|\d{4}", cited) if word not in doc]
        assert not missing, f"{cited} of the .toml is not in the docstring of {name}: {missing}"
