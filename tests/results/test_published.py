"""What recipes may declare."""

import pytest

from keras_gen.results import Figure, Published

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
        (dict(system=""), "system of RESULTS is empty"),
        (dict(figures=()), "figures of RESULTS is empty"),
        (dict(figures=(FIGURE, FIGURE)), "two figures of RESULTS have the key 'nll'"),
        (
            dict(figures=(FIGURE, Figure("b", "NLL", "", tolerance=1))),
            "two figures of RESULTS have the metric 'NLL'",
        ),
    ],
)
def test_bad_declarations(changes, message):
    declare()
    with pytest.raises(ValueError, match=message):
        declare(**changes)
