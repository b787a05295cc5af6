"""What recipes may publish."""

import dataclasses
import re

import pytest

from keras_gen.workshop.results import Figure, read_published
from processes import RECIPES, ROOT
from toy_results import NLL, PUBLISHED, make_published, make_root

pytestmark = pytest.mark.pages

FACTORS = """
[matrices.objectives]
title = "By penalty"
key = "fid_{row}_{column}"
rows = { hinge = "hinge" }
columns = { none = "none", R1 = "r1" }
baselines = { mixture = "fid_mixture" }
references = { "test images" = "fid_floor" }
tolerance = 0.1
"""


@pytest.fixture
def read(tmp_path):
    """Reads a file as the toy's."""
    root = make_root(tmp_path)

    def read_text(text):
        (root / "recipes" / "results" / "toy.toml").write_text(text)
        return read_published(root, "toy")

    return read_text


def test_measured():
    metrics = {"nll": 3, "nll_error": 0.5, "fid": 2.5, "loss": 1.0, "device": "x"}
    assert make_published().measured(metrics) == {"nll": 3, "nll_error": 0.5, "fid": 2.5}


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({"loss": 1.0, "device": "x"}, "there is no 'nll' in .* Metrics: loss, device"),
        ({"nll": 1.0}, "there is no 'nll_error'"),
        ({"nll": None, "nll_error": 1}, "'nll' is None in the metrics: expected a finite number"),
        ({"nll": float("nan")}, "'nll' is nan"),
        ({"nll": True}, "'nll' is True"),
        ({}, "Metrics: none"),
    ],
)
def test_what_is_not_measured(metrics, message):
    with pytest.raises(ValueError, match=message):
        make_published().measured(metrics)


def test_a_figure_is_named_by_what_was_measured():
    figure = Figure("k", "NLL, {n:,} samples of {part:.0%}", "nats", tolerance=1)
    assert figure.words({"n": 5000, "part": 0.25}) == "NLL, 5,000 samples of 25%, nats"
    for config in ({"n": 10}, {"n": "many", "part": 1}):
        with pytest.raises(
            ValueError, match="cannot be filled with the settings and metrics of a run"
        ):
            figure.words(config)


def test_bad_declarations():
    many = [dataclasses.replace(NLL, key=str(n), metric=str(n)) for n in range(7)]
    make_published(*many[:6])
    with pytest.raises(ValueError, match="there are 7 figures and 0 matrices: expected at least"):
        make_published(*many)
    for changes in (dict(no_baseline=None), dict(baselines={"PCA": "pca"})):
        with pytest.raises(ValueError, match="nll is the first figure: expected either"):
            make_published(dataclasses.replace(NLL, **changes))


def test_figures_take_what_all_share(read):
    assert read(PUBLISHED) == make_published()
    shared = """[all]
baselines = { mixture = "baseline_{key}" }
spread = { "test examples" = "{key}_error" }
"""
    text = PUBLISHED.replace("[all]\n", shared).replace('no_baseline = "a toy"\n', "")
    nll, fid = read(text).figures
    assert nll.baselines == {"mixture": "baseline_nll"}
    assert fid.baselines == {"mixture": "baseline_fid"}
    assert [*nll.spread.values(), *fid.spread.values()] == ["nll_error", "fid_error"]


def test_a_matrix_counts_as_a_figure_and_may_have_empty_cells(read):
    published = read(PUBLISHED + FACTORS)
    metrics = {"nll": 3, "nll_error": 0.5, "fid": 2.5, "fid_hinge_r1": 7.0, "fid_mixture": 1.0}
    assert published.measured(metrics | {"loss": 1.0}) == metrics
    copies = [FACTORS.replace("objectives", f"copy{n}") for n in range(5)]
    with pytest.raises(ValueError, match="there are 2 figures and 5 matrices"):
        read(PUBLISHED + "".join(copies))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[all]", "[all", "toml cannot be used: "),
        ('system = "Toy"', "", "missing 1 required positional argument: 'system'"),
        ("train_size", "size", "unexpected keyword argument 'size'"),
        ("train_size", "datasets.balls = {size = 3}\ntrain_size", "unexpected keyword argument"),
        ("train_size =", 'train_size = "7" #', "train_size is '7': expected a number of examples"),
        (
            "tolerance = 0.1",
            "tolerance = 0",
            "the tolerance of fid is 0: expected a positive number",
        ),
        (
            "tolerance = 0.1",
            "tolerance = nan",
            "the tolerance of fid is nan: expected a finite number",
        ),
        ('"test examples"', "luck", "the spread of nll has the type luck: .* one of seeds, tes"),
        ("tolerance = 0.1", "direction = 1", "unexpected keyword argument 'direction'"),
        ("[figures.fid]", "[figures]", "toml cannot be used: "),
        ("[figures.fid]", '[matrices.x]\ntitle = "x"\n[figures.fid]', "missing 2 required"),
        ('no_baseline = "a toy"', "", "nll is the first figure: expected either"),
    ],
)
def test_files_that_cannot_be_used(read, tmp_path, old, new, message):
    with pytest.raises(ValueError, match=message):
        read(PUBLISHED.replace(old, new))
    with pytest.raises(FileNotFoundError, match=r"other\.toml does not exist: expected a file"):
        read_published(tmp_path, "other")


def test_every_recipe_publishes_what_its_docstring_cites():
    """Reading checks that the first figure has a baseline, or a reason, and a spread its kind."""
    for name in RECIPES:
        published = read_published(ROOT, name)
        doc = (ROOT / "recipes" / f"{name}.py").read_text().split('"""')[1]
        papers = {published.paper, *filter(None, (figure.paper for figure in published.figures))}
        for paper in papers:
            cited = re.match(r".*?\b\d{4}\b", paper)[0]
            missing = [word for word in re.findall(r"[A-Z]\w+|\d{4}", cited) if word not in doc]
            assert not missing, f"{cited} of {name}.toml is not in its docstring: {missing}"
