"""Records made of exports."""

import json

import pytest

from keras_gen.workshop.results import read_groups, read_records
from keras_gen.workshop.results.publish import publish
from toy_results import DATA, METRICS, NOW, make_export, make_root

pytestmark = pytest.mark.pages


@pytest.fixture
def root(tmp_path):
    return make_root(tmp_path)


def edit(root, old, new):
    """Changes what the toy publishes."""
    file = root / "recipes" / "results" / "toy.toml"
    file.write_text(file.read_text().replace(old, new))


def test_a_record_of_a_run(root, tmp_path):
    make_export(tmp_path / "m" / "2", {"rate": 0.5, "epochs": 20}, run="d8a1")
    written = publish(root, [tmp_path / "m"], note=" Two\n words ")
    assert list(written) == [root / "recipes" / "results" / "toy.json"]
    (record,) = read_records(root)["toy"]
    ((group,),) = written.values()
    assert group.records == (record,)
    assert (record.train_size, record.split) == (100, "test, 1,000")
    assert record.values == {"nll": 83.9, "nll_error": 0.25, "fid": 3.05}
    assert record.command == "python recipes/toy.py --preset cpu --rate 0.5"
    assert (record.steps, record.minutes, record.note) == (2000, 1.5, "Two words")
    assert (record.device, record.date) == (NOW["device"], NOW["date"])
    assert record.versions == "keras_gen 0.1.0, keras 3.15.1"
    assert record.config["rate"] == 0.5 and record.config["batch_size"] == 1
    assert not set(record.config) & {"output", "export", "resume"}
    assert record.run == "d8a1"


def test_several_seeds_make_one_group(root, tmp_path):
    values = {7: 83.0, 2: 85.0, 5: 83.4}
    exports = [
        make_export(tmp_path / str(seed), {"seed": seed}, {"nll": value, "minutes": seed})
        for seed, value in values.items()
    ]
    ((group,),) = publish(root, exports).values()
    assert group.record.values["nll"] == 83.4 and group.seeds == [2, 5, 7]
    records = read_records(root)["toy"]
    assert [record.command[-8:] for record in records] == ["--seed 7", "--seed 2", "--seed 5"]
    # Published one after the other they become the same.
    for export in exports:
        publish(root, [export], note="alone")
    (group,) = read_groups(root)["toy"]
    assert len(group.records) == 3 and group.record.values["nll"] == 83.4
    assert {record.note for record in group.records} == {"alone"}


def test_seeds_that_a_run_took_the_mean_over(root, tmp_path):
    spread = '{ "label samples" = "nll_error" }\nseeds = "epochs"'
    edit(root, '{ "test examples" = "nll_error" }', spread)
    publish(root, [make_export(tmp_path / "a", {"seed": 4, "epochs": 3})])
    (group,) = read_groups(root)["toy"]
    assert group.seeds == [4, 5, 6] and group.entries[0].spread == (0.25, "3 label samples")


def test_figures_that_are_declared_no_more_are_not_shown(root, tmp_path):
    publish(root, [make_export(tmp_path / "a"), make_export(tmp_path / "b", {"rate": 0.5})])
    edit(root, "[figures.fid]", "[figures.steps]")
    keys = [[e.figure.key for e in group.entries] for group in read_groups(root)["toy"]]
    assert keys == [["nll"], ["nll"]]
    publish(root, [tmp_path / "a"])
    keys = [[e.figure.key for e in group.entries] for group in read_groups(root)["toy"]]
    assert keys == [["nll", "steps"], ["nll"]]


def test_replaces_and_keeps(root, tmp_path):
    publish(root, [make_export(tmp_path / "a")], note="first")
    publish(root, [make_export(tmp_path / "b", {"rate": 0.5})])
    publish(root, [make_export(tmp_path / "c", metrics={"nll": 83.0})])
    records = {record.command.split()[-1]: record for record in read_records(root)["toy"]}
    assert len(records) == 2
    assert (records["cpu"].values["nll"], records["cpu"].note) == (83.0, "first")
    assert (records["0.5"].values["nll"], records["0.5"].note) == (83.9, None)
    publish(root, [make_export(tmp_path / "d")], note="second")
    assert {record.note for record in read_records(root)["toy"]} == {"second", None}


def test_a_miss_needs_a_reason(root, tmp_path):
    export = make_export(tmp_path / "a", metrics={"nll": 85.0})
    with pytest.raises(
        ValueError, match=r"nats is 85, but the paper reports 84.0: state the reason"
    ):
        publish(root, [export], note=" ")
    assert read_records(root) == {}
    publish(root, [export], note="a tenth of the epochs")
    publish(root, [export])  # the note is there
    assert {record.note for record in read_records(root)["toy"]} == {"a tenth of the epochs"}


def test_exports_of_older_versions(root, tmp_path):
    metrics = METRICS | {"device": "2 CPU cores"}
    make_export(tmp_path / "a")
    file = tmp_path / "a" / "assets.extra" / "keras_gen.json"
    old = json.loads(file.read_text()) | {"metrics": metrics}
    file.write_text(json.dumps(old))
    publish(root, [tmp_path / "a"])
    (record,) = read_records(root)["toy"]
    assert (record.versions, record.date) == ("unknown", None)
    noted = {"libraries": {"keras": "3.15.1"}, "created": "2029-12-31T23:59:59+00:00"}
    file.write_text(json.dumps(old | noted))
    publish(root, [tmp_path / "a"])
    (record,) = read_records(root)["toy"]
    assert (record.versions, record.date) == ("keras 3.15.1", "2029-12-31")


TWO = {"train_x": "1100 examples: x", "train_y": "5 examples: x"}


@pytest.mark.parametrize(
    ("data", "size", "expected"),
    [
        ({"train": "60 examples: x"}, "100", "60 of 100"),
        (TWO, "[1100, 5]", "1,100 + 5"),
        (TWO, "[6000, 5]", "1,100 + 5 of 6,000 + 5"),
        ({"train": "60 examples: x"}, "", 60),
        ({"train": "60 examples: x"}, "100\nleft_out = 5", "55 of 100"),
        ({"train": "100 examples: x"}, "100\nleft_out = 5", "95 of 100"),
        (TWO, "[6000, 5]\nleft_out = [100, 1]", "1,000 + 4 of 6,000 + 5"),
    ],
)
def test_subsets_and_domains(root, tmp_path, data, size, expected):
    edit(root, "train_size = 100", size and f"train_size = {size}")
    test = {"test_x": "3 examples: x", "test_y": "2 examples: x"}
    publish(root, [make_export(tmp_path / "a", data={"name": "x"} | data | test)])
    (record,) = read_records(root)["toy"]
    assert (record.train_size, record.split) == (expected, "test, 3 + 2")


def test_how_many_test_examples_were_compared(root, tmp_path):
    edit(root, "train_size = 100", 'train_size = 100\ncompared = "epochs"')
    tests = {"test_x": "300 examples: x", "test_y": "20 examples: x"}
    publish(root, [make_export(tmp_path / "a", data=DATA | tests)])
    (record,) = read_records(root)["toy"]
    assert record.split == "test, 20 of 1,000 + 20 of 300 + 20"


def test_a_metric_says_how_many_were_compared_and_fills_names(root, tmp_path):
    edit(root, "train_size = 100", 'train_size = 100\ncompared = "n_generated"')
    edit(root, 'metric = "NLL', 'metric = "{n_generated:,} NLL')
    data = DATA | {"test": "3000 examples: x"}
    with pytest.raises(ValueError, match="compared is 'n_generated', which is neither"):
        publish(root, [make_export(tmp_path / "a", data=data)])
    metrics = METRICS | NOW | {"n_generated": 2000}
    publish(root, [make_export(tmp_path / "b", data=data, metrics=metrics)])
    (record,) = read_records(root)["toy"]
    assert record.split == "test, 2,000 of 3,000"
    assert record.values["n_generated"] == 2000
    assert read_groups(root)["toy"][0].entries[0].figure.words(record.numbers)[:6] == "2,000 "


@pytest.mark.parametrize(
    ("data", "found"),
    [
        ({"train": "101 examples: x"}, "used 101 training examples, but train_size, .* is 100"),
        ({}, "used no training examples, but train_size, .* is 100"),
    ],
)
def test_a_set_holds_what_was_trained_on(root, tmp_path, data, found):
    test = {"name": "x", "test": "3 examples: x"}
    with pytest.raises(ValueError, match=found):
        publish(root, [make_export(tmp_path / "a", data=data | test)])


def test_another_dataset_has_a_name_and_figures_of_its_own(root, tmp_path):
    cubes = make_export(tmp_path / "a")
    balls = make_export(tmp_path / "b", {"dataset": "balls"})
    with pytest.raises(ValueError, match="has no entry for dataset='balls': add the dataset's"):
        publish(root, [cubes, balls])
    other = '{ dataset = "Balls of {rate}", train_size = 400, without = ["fid"] }'
    edit(root, "train_size = 100", f"train_size = 100\ndatasets.balls = {other}")
    publish(root, [cubes, balls])
    first, second = read_groups(root)["toy"]
    assert [first.published.dataset, second.published.dataset] == ["Toys", "Balls of {rate}"]
    assert [first.record.train_size, second.record.train_size] == [100, "100 of 400"]
    assert [entry.figure.key for entry in second.entries] == ["nll"]


@pytest.mark.parametrize(
    ("export", "message"),
    [
        (dict(config={"preset": "smoke"}), "bad: the preset smoke only shows"),
        (dict(config={"preset": "huge"}), "is huge: expected one of smoke, cpu, paper"),
        (dict(config={"color": 1}), "are unknown to this recipe: color"),
        (dict(config={"rate": -1}), "--rate is -1: expected an integer of at least 1"),
        (dict(metrics={"nll": None}), "'nll' is None in the metrics"),
        (dict(recipe="unknown"), "there is no recipe 'unknown' in .*: silent, toy"),
        (dict(recipe="silent"), "silent.py is not a recipe: it lacks Settings, PRESETS, main"),
        (dict(recipe=None), "lacks recipe, config, data, or metrics"),
        (dict(data={"name": "offline sample: x"}), "trained on an offline sample"),
        (
            dict(data={"train_x": "9 examples: x", "train_y": "9 examples: x"}),
            "used 9 . 9 training exam",
        ),
    ],
)
def test_refusals_write_nothing(root, tmp_path, export, message):
    (root / "recipes" / "silent.py").touch()
    good = make_export(tmp_path / "good", {"rate": 0.7})
    bad = make_export(tmp_path / "bad", **export)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        publish(root, [good, bad], note="x")
    assert read_records(root) == {}


def test_no_export(root, tmp_path):
    with pytest.raises(FileNotFoundError, match="contains no exported model"):
        publish(root, [tmp_path / "nowhere"])
