"""Rows made of exports."""

import json
import statistics

import pytest

from keras_gen.results import read_entries, read_rows
from keras_gen.results.publish import publish
from toy_results import DATA, METRICS, NOW, make_export, make_root


@pytest.fixture
def root(tmp_path):
    return make_root(tmp_path)


def test_a_row_for_each_figure(root, tmp_path):
    export = make_export(tmp_path / "m" / "2", {"rate": 0.5, "epochs": 20})
    written = publish(root, [tmp_path / "m"], note=" Two\n words ")
    assert list(written) == [root / "recipes" / "results" / "toy.json"]
    nll, fid = rows = read_rows(root)["toy"]
    (made,) = written.values()
    assert [entry.row for entry in made] == rows
    assert (nll.train_size, nll.split) == (100, "test, 1,000")
    assert (nll.figure, nll.value, nll.seeds, nll.preset) == ("nll", 83.9, [0], "cpu")
    assert (nll.spread, nll.spread_of) == (0.25, "test examples")
    assert (fid.figure, fid.value, fid.spread, fid.spread_of) == ("fid", 3.05, None, None)
    for row in rows:
        assert row.command == "python recipes/toy.py --preset cpu --rate 0.5"
        assert (row.steps, row.minutes, row.note) == (2000, 1.5, "Two words")
        assert {key: getattr(row, key) for key in NOW} == NOW
        assert row.config["rate"] == 0.5 and row.config["batch_size"] == 1
        assert not set(row.config) & {"output", "export", "resume"}
    assert export.exists()


def test_several_seeds_are_several_rows_and_one_line(root, tmp_path):
    values = {7: 83.0, 2: 85.0, 5: 83.4}
    exports = [
        make_export(tmp_path / str(seed), {"seed": seed}, {"nll": value, "minutes": seed})
        for seed, value in values.items()
    ]
    ((line, _),) = publish(root, exports).values()
    assert (line.row.value, line.spread) == (83.4, (statistics.stdev(values.values()), "3 seeds"))
    rows = [row for row in read_rows(root)["toy"] if row.figure == "nll"]
    assert [(row.seeds, row.value, row.minutes) for row in rows] == [
        ([2], 85.0, 2), ([5], 83.4, 5), ([7], 83.0, 7),
    ]  # fmt: skip
    assert [row.command[-8:] for row in rows] == ["--seed 2", "--seed 5", "--seed 7"]
    # Published one after the other they become the same.
    for export in exports:
        publish(root, [export], note="alone")
    assert len(read_rows(root)["toy"]) == 6
    ((line, _),) = read_entries(root)["toy"]
    assert (line.row.value, line.spread[1], line.row.note) == (83.4, "3 seeds", "alone")


def test_seeds_that_a_run_took_the_mean_over(root, tmp_path):
    file = root / "recipes" / "results" / "toy.toml"
    file.write_text(file.read_text().replace('"test examples"', '"label draws"\nseeds = "epochs"'))
    publish(root, [make_export(tmp_path / "a", {"seed": 4, "epochs": 3})])
    nll, fid = read_rows(root)["toy"]
    assert (nll.seeds, nll.spread_of, fid.seeds) == ([4, 5, 6], "label draws", [4])
    file.write_text(file.read_text().replace('"epochs"', '"repeats"'))
    with pytest.raises(ValueError, match="mean over 'repeats', which is no setting of toy"):
        publish(root, [tmp_path / "a"])


def test_figures_that_are_declared_no_more_go_with_their_command(root, tmp_path):
    publish(root, [make_export(tmp_path / "a"), make_export(tmp_path / "b", {"rate": 0.5})])
    file = root / "recipes" / "results" / "toy.toml"
    file.write_text(file.read_text().replace("[figures.fid]", "[figures.steps]"))
    with pytest.raises(ValueError, match="Toy has no figure 'fid': add it to its"):
        read_entries(root)
    publish(root, [tmp_path / "a", tmp_path / "b"])
    assert [entry.figure.key for run in read_entries(root)["toy"] for entry in run] == (
        ["nll", "steps"] * 2
    )


def test_other_settings_are_other_rows(root, tmp_path):
    exports = [
        make_export(tmp_path / str(number), change)
        for number, change in enumerate([{}, {"rate": 0.5}, {"preset": "paper", "epochs": 200}])
    ]
    publish(root, exports)
    rows = read_rows(root)["toy"]
    assert len(rows) == 6 and len({row.command for row in rows}) == 3


def test_replaces_and_keeps(root, tmp_path):
    publish(root, [make_export(tmp_path / "a")], note="first")
    publish(root, [make_export(tmp_path / "b", {"rate": 0.5})])
    publish(root, [make_export(tmp_path / "c", metrics={"nll": 83.0})])
    rows = {(row.command.split()[-1], row.figure): row for row in read_rows(root)["toy"]}
    assert len(rows) == 4
    assert (rows["cpu", "nll"].value, rows["cpu", "nll"].note) == (83.0, "first")
    assert (rows["0.5", "nll"].value, rows["0.5", "nll"].note) == (83.9, None)
    publish(root, [make_export(tmp_path / "d")], note="second")
    assert {row.note for row in read_rows(root)["toy"]} == {"second", None}


def test_a_miss_needs_a_reason(root, tmp_path):
    export = make_export(tmp_path / "a", metrics={"nll": 85.0})
    with pytest.raises(ValueError, match=r"NLL is 85 where the paper has 84.0: say why"):
        publish(root, [export], note=" ")
    assert read_rows(root) == {}
    publish(root, [export], note="a tenth of the epochs")
    publish(root, [export])  # the note is there
    assert {row.note for row in read_rows(root)["toy"]} == {"a tenth of the epochs"}


def test_exports_of_older_versions(root, tmp_path):
    metrics = METRICS | {"device": "2 CPU cores"}
    make_export(tmp_path / "a")
    file = tmp_path / "a" / "assets.extra" / "keras_gen.json"
    old = json.loads(file.read_text()) | {"metrics": metrics}
    file.write_text(json.dumps(old))
    publish(root, [tmp_path / "a"])
    row = read_rows(root)["toy"][0]
    assert (row.versions, row.date) == (None, None)
    noted = {"libraries": {"keras": "3.15.1"}, "created": "2029-12-31T23:59:59+00:00"}
    file.write_text(json.dumps(old | noted))
    publish(root, [tmp_path / "a"])
    row = read_rows(root)["toy"][0]
    assert (row.versions, row.date) == ({"keras": "3.15.1"}, "2029-12-31")


@pytest.mark.parametrize(
    ("data", "size", "expected"),
    [
        ({"train": "60 examples: x"}, "100", "60 of 100"),
        ({"train_x": "1100 examples: x", "train_y": "5 examples: x"}, "[1100, 5]", "1,100 + 5"),
        (
            {"train_x": "1100 examples: x", "train_y": "5 examples: x"},
            "[6000, 5]",
            "1,100 + 5 of 6,000 + 5",
        ),
        ({"train": "60 examples: x"}, "", 60),
    ],
)
def test_subsets_and_domains(root, tmp_path, data, size, expected):
    file = root / "recipes" / "results" / "toy.toml"
    file.write_text(file.read_text().replace("train_size = 100", size and f"train_size = {size}"))
    test = {"test_x": "3 examples: x", "test_y": "2 examples: x"}
    publish(root, [make_export(tmp_path / "a", data={"name": "x"} | data | test)])
    row = read_rows(root)["toy"][0]
    assert (row.train_size, row.split) == (expected, "test, 3 + 2")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"train": "101 examples: x"}, "101 examples, where train_size is 100"),
        ({}, "no examples, where train_size is 100"),
    ],
)
def test_a_set_holds_what_was_trained_on(root, tmp_path, data, found):
    test = {"name": "x", "test": "3 examples: x"}
    with pytest.raises(ValueError, match=found):
        publish(root, [make_export(tmp_path / "a", data=data | test)])


def test_another_dataset_has_a_name_and_a_size_of_its_own(root, tmp_path):
    cubes = make_export(tmp_path / "a")
    balls = make_export(tmp_path / "b", {"dataset": "balls"})
    with pytest.raises(ValueError, match="'balls', of which datasets says nothing: add"):
        publish(root, [cubes, balls])
    file = root / "recipes" / "results" / "toy.toml"
    other = 'datasets.balls = { dataset = "Balls", train_size = 400 }'
    file.write_text(file.read_text().replace("train_size = 100", f"train_size = 100\n{other}"))
    publish(root, [cubes, balls])
    found = [group[0] for group in read_entries(root)["toy"]]
    assert [entry.published.dataset for entry in found] == ["Toys", "Balls"]
    assert [entry.row.train_size for entry in found] == [100, "100 of 400"]


def test_another_dataset_fixes_other_settings_and_lacks_figures(root, tmp_path):
    file = root / "recipes" / "results" / "toy.toml"
    other = '[datasets.balls]\ndataset = "Balls"\ngiven = { rate = 0.7 }\nwithout = ["fid"]\n'
    file.write_text(file.read_text().replace("[all]", f"{other}\n[all]"))
    with pytest.raises(ValueError, match=r"has the setting rate 0\.1, and 'NLL' means 0\.7"):
        publish(root, [make_export(tmp_path / "a", {"dataset": "balls"})])
    there, default = {"dataset": "balls", "rate": 0.7}, {"rate": 0.1}
    publish(root, [make_export(tmp_path / "b", there), make_export(tmp_path / "c", default)])
    found = [[entry.figure.key for entry in group] for group in read_entries(root)["toy"]]
    assert found == [["nll"], ["nll", "fid"]]


@pytest.mark.parametrize(
    ("exports", "message"),
    [
        ([dict(config={"preset": "smoke"})], "is of the preset smoke"),
        ([dict(config={"preset": "huge"})], "the run's preset is huge: toy has smoke, cpu, paper"),
        ([dict(config={"color": 1})], "does not know: color"),
        ([dict(config={"rate": -1})], "--rate is -1"),
        ([dict(config={"deterministic": True})], "the setting deterministic True, and 'FID' means"),
        ([{}, {}], "two have the same seed"),
        (
            [{}, dict(config={"seed": 1}, data=DATA | {"train": "99 examples: x"})],
            "differ in their data",
        ),
        ([dict(metrics={"nll": None})], "'nll' is None in the metrics"),
        ([dict(recipe="unknown")], "there is no recipe 'unknown' in .*: silent, toy"),
        ([dict(recipe="silent")], "silent.py is no recipe: it lacks Settings, PRESETS, main"),
        ([dict(recipe=None)], "lacks recipe, config, data or metrics"),
        ([dict(data={"name": "offline sample: x"})], "trained on an offline sample"),
        ([dict(data={"train_x": "9 examples: x", "train_y": "9 examples: x"})], "on 9 . 9 exam"),
        ([dict(metrics={"steps": None})], "steps is None"),
    ],
)
def test_refusals_write_nothing(root, tmp_path, exports, message):
    (root / "recipes" / "silent.py").touch()
    good = make_export(tmp_path / "good", {"rate": 0.7})
    bad = [make_export(tmp_path / str(n), **change) for n, change in enumerate(exports)]
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        publish(root, [good, *bad], note="x")
    assert read_rows(root) == {}


def test_no_export(root, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no exported model"):
        publish(root, [tmp_path / "nowhere"])
