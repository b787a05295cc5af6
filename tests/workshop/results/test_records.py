"""Published runs in files, and what they say of themselves."""

import dataclasses
import json

import pytest

from keras_gen.workshop.results import read_records, write_records
from keras_gen.workshop.results.records import checksum
from toy_results import RECIPE, make_record, make_root

pytestmark = pytest.mark.pages


def test_records_return_from_files(tmp_path):
    make_root(tmp_path)
    assert read_records(tmp_path) == {}
    records = [make_record(), make_record("--preset paper", note="a | b", versions="k 1")]
    path = write_records(tmp_path, "toy", records)
    (tmp_path / "recipes" / "another.py").write_text(RECIPE)
    write_records(tmp_path, "another", records[:1])
    assert path == tmp_path / "recipes" / "results" / "toy.json"
    found = read_records(tmp_path)
    assert list(found) == ["another", "toy"]
    assert list(read_records(tmp_path, "toy")) == ["toy"]
    for record, back in zip(records, found["toy"], strict=True):
        assert back.settings == checksum(record.config)
        config = record.config | {"epochs": back.config["epochs"]}
        assert back.config == back.config | config
        assert dataclasses.replace(back, settings=None, config=record.config) == record


def test_runs_of_several_seeds_share_an_object(tmp_path):
    root = make_root(tmp_path)
    usual = dict(values={"nll": 84.0, "fid": 3.0}, note="in [ 1 ]", steps=20_000)
    usual["config"] = dict(epochs=200, steps_per_epoch=100)
    first = make_record("--preset paper", **usual)
    change = dict(values={"nll": 85.5, "fid": 3.0}, run="id", minutes=2, resumed=True)
    second = make_record("--preset paper --seed 1", **usual | change)
    second.config["seed"] = 1
    path = write_records(root, "toy", [first, make_record(), second])
    shared, other = json.loads(path.read_text())
    assert shared["values"] == {"nll": [84.0, 85.5], "fid": 3.0}
    assert shared["seeds"] == [0, 1] and shared["command"] == first.command
    assert not shared.keys() & {"train_size", "device"}
    assert shared["minutes"] == [1.5, 2] and shared["run"] == [None, "id"]
    assert shared["note"] == "in [ 1 ]" and "steps" not in shared and other["steps"] == 2000
    assert '"nll": [84.0, 85.5],\n' in path.read_text()
    found = [dataclasses.replace(record, config={}) for record in read_records(root)["toy"]]
    expected = [dataclasses.replace(record, config={}) for record in (first, second, make_record())]
    assert [dataclasses.replace(record, settings=None) for record in found] == expected


def test_settings_are_those_of_the_command(tmp_path):
    root = make_root(tmp_path)
    write_records(root, "toy", [make_record("--preset paper --rate 2.5 --seed 3")])
    (record,) = read_records(root)["toy"]
    expected = dict(preset="paper", rate=2.5, seed=3, epochs=200, dataset="cubes")
    assert record.config == record.config | expected
    assert "config" not in (root / "recipes" / "results" / "toy.json").read_text()


def test_a_checksum_tells_a_changed_setting_and_not_one_that_came_later():
    config = {"epochs": 20, "rate": 0.1, "kind": None}
    assert checksum(config | {"rate": 0.2}) != checksum(config)
    later = {"width": 3}
    assert checksum(config | later) - checksum(config) == checksum(later)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda runs: runs[0].pop("values"), "missing 1 required positional argument: 'values'"),
        (lambda runs: runs[0].update(color="red"), "unexpected keyword argument 'color'"),
        (lambda runs: runs[0]["values"].update(nll="85"), "the value of nll is '85': expected a"),
        (lambda runs: runs[0]["values"].update(nll=float("nan")), "the value of nll is nan"),
        (lambda runs: runs.append("run"), "'str' object has no attribute 'items'"),
        (lambda runs: runs[0].pop("command"), "'command'"),
        (lambda runs: runs[0].update(command="python toy.py --wheels 4"), "--wheels is not"),
    ],
)
def test_edited_files(tmp_path, change, message):
    path = write_records(make_root(tmp_path), "toy", [make_record()])
    runs = json.loads(path.read_text())
    change(runs)
    path.write_text(json.dumps(runs))
    with pytest.raises(ValueError) as error:
        read_records(tmp_path)
    assert message in str(error.value) and str(error.value).startswith(f"{path} cannot be used (")


def test_files_that_hold_no_json(tmp_path):
    (make_root(tmp_path) / "recipes" / "results" / "toy.json").write_text("{")
    with pytest.raises(ValueError, match=r"toy\.json cannot be used"):
        read_records(tmp_path)
