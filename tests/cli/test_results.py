"""The commands publish, results and reproduce."""

import json

import pytest

from keras_gen.cli import main
from keras_gen.results import read_rows, write_rows
from shared import fails
from toy_results import make_export, make_root, make_row


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A repository as the working directory, with two versions of an export."""
    make_root(tmp_path)
    make_export(tmp_path / "saved_models" / "toy" / "1", metrics={"nll": 1.0})
    make_export(tmp_path / "saved_models" / "toy" / "2", metrics={"nll": 85.5})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_from_an_export_to_the_table(home, capsys):
    assert main(["results", "--check"]) == 1
    assert "README.md differs from the rows" in capsys.readouterr().out
    assert main(["results"]) == 0
    assert capsys.readouterr().out == "RESULTS.md written\nREADME.md written\n"
    assert main(["results", "--check"]) == 0 and capsys.readouterr().out == ""

    assert "say why with --note" in fails(capsys, "publish", "toy")
    assert main(["publish", "toy", "--note", "a short run"]) == 0
    out = capsys.readouterr().out
    assert "recipes/results/toy.json: 2 rows written for python recipes/toy.py --preset cpu" in out
    assert "NLL, nats ↓  85.50 ± 0.25 (test examples)  missed by 1.5" in out
    assert main(["results", "--check"]) == 1
    assert main(["results"]) == 0 and main(["results", "--check"]) == 0
    assert "**missed by 1.5**: a short run" in (home / "RESULTS.md").read_text()
    assert "84, missed by 1.5 |" in (home / "README.md").read_text()
    assert main(["results"]) == 0 and "everything is up to date" in capsys.readouterr().out

    assert main(["publish", "saved_models/toy/1"]) == 0
    assert read_rows(home)["toy"][0].value == 1.0


def test_from_another_folder(home, capsys, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert "holds no folder recipes" in fails(capsys, "results", "--check")
    assert main(["results", "--root", str(home)]) == 0
    models = ["--models", str(home / "saved_models")]
    assert main(["publish", "toy", "--root", str(home), "--note", "x", *models]) == 0
    assert "no model 'car'" in fails(capsys, "publish", "car", "--root", str(home), *models)


def test_reproduce(home, capfd):
    write_rows(home, "toy", [make_row(value=85.5), make_row(value=3.0, figure="fid")])
    assert main(["reproduce", "toy", "--output", "again"]) == 0
    out = capfd.readouterr().out.splitlines()
    assert "training the toy with cpu None None" in out
    rows = [" ".join(line.split()) for line in out[-4:]]
    assert rows == [
        "METRIC PUBLISHED NOW DIFFERENCE TOLERANCE OK",
        "NLL, nats 85.50 85.10 -0.4 0.5 yes",
        "FID 3.000 3.000 +0 0.1 yes",
        "2 of 2 within the tolerance",
    ]
    assert "again is already there" in fails(capfd, "reproduce", "toy", "--output", "again")


def test_reproduce_outside_the_tolerance(home, capfd):
    write_rows(home, "toy", [make_row(value=84.0)])
    assert main(["reproduce", "toy"]) == 1
    out = capfd.readouterr().out.splitlines()
    assert out[-2].split()[-3:] == ["+1.1", "0.5", "NO"]
    assert out[-1] == "0 of 1 within the tolerance"


def test_reproduce_fails_in_one_sentence(home, capfd):
    write_rows(home, "toy", [make_row(command="python recipes/toy.py --rate 13")])
    assert "the run failed with exit code 3" in fails(capfd, "reproduce", "toy")
    assert "car has no published rows" in fails(capfd, "reproduce", "car")


def test_broken_rows_are_named(home, capsys):
    (home / "recipes" / "results" / "toy.json").write_text(json.dumps([{"figure": "nll"}]))
    assert "toy.json cannot be used" in fails(capsys, "results")
