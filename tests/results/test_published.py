"""What recipes may publish."""

import pytest

from keras_gen.results import Figure, Published, read_published
from toy_results import PUBLISHED, make_root

FIGURE = Figure("nll", "NLL", "nats", spread="error", tolerance=0.5)


def declare(**changes):
    usual = dict(system="VAE", family="vae", paper="X 2000", dataset="Toys", figures=(FIGURE,))
    return Published(**usual | changes)


def test_measured():
    assert FIGURE.measured({"nll": 3, "error": 0.5}) == (3, 0.5)
    assert Figure("nll", "NLL", "", tolerance=1).measured({"nll": 2.5}) == (2.5, None)


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({"loss": 1.0, "device": "x"}, "there is no 'nll' in .* numbers there: loss. Run"),
        ({"nll": 1.0}, "there is no 'error'"),
        ({"nll": None, "error": 1}, "'nll' is None in the metrics where a finite number"),
        ({"nll": float("nan")}, "'nll' is nan"),
        ({"nll": True}, "'nll' is True"),
        ({}, "numbers there: none"),
    ],
)
def test_what_is_not_measured(metrics, message):
    with pytest.raises(ValueError, match=message):
        FIGURE.measured(metrics)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(tolerance=0), "the tolerance of k is 0: it must be positive"),
        (dict(tolerance=float("nan")), "the tolerance of k is nan"),
        (dict(tolerance=1, paper_value=float("inf")), "the paper's k is inf"),
        (dict(tolerance=1, metric=""), "metric '': give both a name"),
    ],
)
def test_bad_figures(changes, message):
    with pytest.raises(ValueError, match=message):
        Figure(**dict(key="k", metric="m", unit="") | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(system=""), "system is empty"),
        (dict(figures=()), "figures is empty"),
        (dict(figures=(FIGURE, FIGURE)), "two figures have the key 'nll'"),
        (
            dict(figures=(FIGURE, Figure("b", "NLL", "", tolerance=1))),
            "two figures have the metric 'NLL'",
        ),
    ],
)
def test_bad_declarations(changes, message):
    declare()
    with pytest.raises(ValueError, match=message):
        declare(**changes)


def test_figures_take_what_all_share(tmp_path):
    published = read_published(make_root(tmp_path), "toy")
    nll = Figure(
        "nll", "NLL", "nats", paper_value=84.0, spread="nll_error", tolerance=0.5
    )  # fmt: skip
    fid = Figure("fid", "FID", tolerance=0.1, given={"deterministic": False})
    assert published == Published("Toy", "vae", "Toy et al. 2000", "Toys", (nll, fid), 100)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[all]", "[all", "toml cannot be used: "),
        ('system = "Toy"', "", "missing 1 required positional argument: 'system'"),
        ("train_size", "size", "unexpected keyword argument 'size'"),
        ("tolerance = 0.1", "tolerance = 0", "the tolerance of fid is 0"),
        ("tolerance = 0.1", "direction = 1", "unexpected keyword argument 'direction'"),
        ("[figures.fid]", "[figures]", "toml cannot be used: "),
    ],
)
def test_files_that_cannot_be_used(tmp_path, old, new, message):
    root = make_root(tmp_path)
    (root / "recipes" / "results" / "toy.toml").write_text(PUBLISHED.replace(old, new))
    with pytest.raises(ValueError, match=message):
        read_published(root, "toy")
    with pytest.raises(FileNotFoundError, match=r"other\.toml: it says what other publishes"):
        read_published(root, "other")
