"""The commands publish, results and reproduce."""

import pytest

from commands import fails
from keras_gen.files import writing
from keras_gen.workshop.cli import main
from keras_gen.workshop.results import read_records, write_records
from toy_results import make_export, make_record, make_root


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A repository as the working directory, with two versions of an export."""
    make_root(tmp_path)
    make_export(tmp_path / "saved_models" / "toy" / "1", metrics={"nll": 1.0})
    make_export(tmp_path / "saved_models" / "toy" / "2", metrics={"nll": 85.5})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_from_an_export_to_the_pages(home, capsys):
    assert main(["results", "--check"]) == 1
    assert "README.md differs from the runs" in capsys.readouterr().out
    assert main(["results"]) == 0
    written = ["RESULTS.md", "README.md", "saved_models/toy/README.md", "saved_models/index.json"]
    assert capsys.readouterr().out == "".join(f"wrote {file}\n" for file in written)
    assert main(["results", "--check"]) == 0 and capsys.readouterr().out == ""

    assert "state the reason with --note" in fails(capsys, "publish", "toy")
    assert main(["publish", "toy", "--note", "a short run"]) == 0
    out = capsys.readouterr().out
    assert "recipes/results/toy.json for python recipes/toy.py --preset cpu" in out
    assert "NLL, rate 0.1, nats ↓  85.50 ± 0.25 (test examples)  ▽ short of the paper by 1.5" in out
    assert main(["results", "--check"]) == 1
    assert main(["results"]) == 0 and main(["results", "--check"]) == 0
    page = home / "docs" / "results" / "vae.md"
    text = page.read_text()
    assert "**▽ short of the paper by 1.5**" in text and "- a short run.\n" in text
    assert "paper: 84, **▽ short of the paper** |" in (home / "RESULTS.md").read_text()
    assert "85.5 nats; in the paper 84 |" in (home / "README.md").read_text()
    assert main(["results"]) == 0 and "all files are up to date" in capsys.readouterr().out
    # What surrounds the table is free, and what was edited in it is restored.
    readme = home / "README.md"
    readme.write_text(readme.read_text().replace("More", "Much more"))
    assert main(["results", "--check"]) == 0
    for edited, old in ((page, "85.50"), (readme, "85.5")):
        edited.write_text(edited.read_text().replace(old, "1.2"))
        assert main(["results", "--check"]) == 1 and edited.name in capsys.readouterr().out
    assert main(["results"]) == 0
    assert page.read_text() == text and "\n\nMuch more.\n" in readme.read_text()

    assert main(["publish", "saved_models/toy/1"]) == 0
    assert read_records(home)["toy"][0].values["nll"] == 1.0


def test_from_another_folder(home, capsys, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert main(["results", "--root", str(home)]) == 0
    models = ["--models", str(home / "saved_models")]
    assert main(["publish", "toy", "--root", str(home), "--note", "x", *models]) == 0
    assert "no model 'car'" in fails(capsys, "publish", "car", "--root", str(home), *models)
    assert "does not contain the folder recipes" in fails(capsys, "publish", "toy", *models)
    assert not list(elsewhere.iterdir())


def test_recipes_that_are_installed(home, capfd, tmp_path_factory, monkeypatch):
    """Their runs come into the working directory, and pages stay those of a checkout."""
    write_records(home, "toy", [make_record(values={"nll": 85.5})])
    before = sorted(home.rglob("*"))
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(writing, "PACKAGE", home / "keras_gen")
    (elsewhere / "README.md").write_text("mine")
    assert (
        "does not contain the folder recipes: run this command in the repository's root"
        in fails(capfd, "results")
    )
    (elsewhere / "recipes").mkdir()
    (elsewhere / "RESULTS.md").write_text("mine too")
    assert main(["results"]) == 1
    assert (elsewhere / "README.md").read_text() == "mine"
    assert (elsewhere / "RESULTS.md").read_text() == "mine too"
    (elsewhere / "recipes").rmdir()
    assert main(["reproduce", "toy"]) == 0
    assert len(list(elsewhere.glob("runs/reproduce/toy-*/export/toy/1"))) == 1
    assert sorted(home.rglob("*")) == before


def test_reproduce(home, capfd):
    write_records(home, "toy", [make_record(values={"nll": 85.5, "fid": 3.0})])
    assert main(["reproduce", "toy", "--output", "again"]) == 0
    out = capfd.readouterr().out.splitlines()
    assert "training the toy with cpu None None" in out
    rows = [" ".join(line.split()) for line in out[-4:]]
    assert rows == [
        "METRIC PUBLISHED NOW DIFFERENCE TOLERANCE OK",
        "NLL, rate 0.1, nats 85.50 85.10 -0.4 0.5 yes",
        "FID 3.000 3.000 +0 0.1 yes",
        "2 of 2 metrics within tolerance",
    ]
    assert "again already exists" in fails(capfd, "reproduce", "toy", "--output", "again")


def test_reproduce_outside_the_tolerance(home, capfd):
    write_records(home, "toy", [make_record(values={"nll": 84.0})])
    assert main(["reproduce", "toy"]) == 1
    out = capfd.readouterr().out.splitlines()
    assert out[-2].split()[-3:] == ["+1.1", "0.5", "NO"]
    assert out[-1] == "0 of 1 metrics within tolerance"


def test_failures_are_one_sentence(home, capfd):
    write_records(home, "toy", [make_record("--preset cpu --rate 13")])
    assert "the run failed with exit code 3" in fails(capfd, "reproduce", "toy")
    assert "car has no published runs" in fails(capfd, "reproduce", "car")
    (home / "recipes" / "results" / "toy.json").write_text('[{"command": ""}]')
    assert "toy.json cannot be used" in fails(capfd, "results")


def test_show_has_the_headline_of_the_export(home, capsys):
    assert main(["show", "toy"]) == 0
    assert "result     nll 85.5" in capsys.readouterr().out  # its settings lack the rate
    make_export(home / "saved_models" / "full" / "1", {"rate": 0.2}, {"nll": 84.5})
    assert main(["show", "full"]) == 0
    assert "NLL, rate 0.2, nats ↓ 84.50 ± 0.25 (test examples)" in capsys.readouterr().out
    published = home / "recipes" / "results" / "toy.toml"
    published.write_text(published.read_text() + "of_export = true\n")  # its last figure
    assert main(["show", "full"]) == 0
    assert "FID ↓ 3.05" in capsys.readouterr().out
