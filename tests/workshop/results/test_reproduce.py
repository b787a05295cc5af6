"""Published commands run again."""

import pytest

from keras_gen.workshop.results import write_records
from keras_gen.workshop.results.reproduce import Comparison, reproduce
from toy_results import make_record, make_root

pytestmark = pytest.mark.pages

CPU = "--preset cpu --rate 2"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository, beside the working directory."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return make_root(tmp_path / "root")


def publish(root, *records):
    write_records(root, "toy", list(records))


def test_compares_every_figure_of_the_run(root, capfd):
    publish(
        root,
        make_record(CPU, {"nll": 85.5, "fid": 3.2}, config={"rate": 2.0}),
        make_record(f"{CPU} --seed 4", {"nll": 0.0}, minutes=99),
    )
    nll, fid = reproduce(root, "toy")
    assert (nll.metric, nll.published, nll.now, nll.tolerance, nll.ok) == (
        "NLL, rate 2.0, nats", 85.5, 85.1, 0.5, True,
    )  # fmt: skip
    assert (fid.now, fid.ok) == (3.0, False) and fid.difference == pytest.approx(-0.2)
    out = capfd.readouterr().out.splitlines()
    assert out[:4] == [
        "published commands of toy:",
        f"  1.5 minutes on 2 CPU cores: python recipes/toy.py {CPU}",
        f"  99 minutes on 2 CPU cores: python recipes/toy.py {CPU} --seed 4",
        f"running python recipes/toy.py {CPU}",
    ]
    assert out[5] == "training the toy with cpu 2 None"
    (folder,) = (root.parent / "here" / "runs" / "reproduce").iterdir()
    assert not (root / "runs").exists()
    assert out[4] == f"writing to {folder}" and folder.name.startswith("toy-")


def test_compares_the_cells_of_a_matrix(root):
    matrix = 'title = "x"\nrows = { a = "fid" }\ncolumns = { c = "{row}" }\ntolerance = 0.5\n'
    file = root / "recipes" / "results" / "toy.toml"
    text = file.read_text().replace("[figures.fid]\nmetric", f"[matrices.m]\n{matrix}#")
    file.write_text(text)
    publish(root, make_record(CPU, {"nll": 85.5, "fid": 3.2}))
    cell, nll = reproduce(root, "toy")
    assert (cell.metric, cell.now, cell.ok) == ("c, a", 3.0, True) and nll.ok


def test_presets_choose(root, tmp_path, capfd):
    publish(root, make_record(CPU), make_record("--preset paper", minutes=300))
    reproduce(root, "toy", "paper", tmp_path / "new")
    out = capfd.readouterr().out
    assert "training the toy with paper None None" in out
    assert (tmp_path / "new" / "export" / "toy" / "1").is_dir()
    with pytest.raises(ValueError, match=r"no published run of toy has .*'smoke': .* cpu, paper"):
        reproduce(root, "toy", "smoke")


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (13, "the run failed with exit code 3; its files are in"),
        (14, "the run was ended by signal 9"),
        (15, "trained on an offline sample"),
    ],
)
def test_runs_that_fail(root, rate, message):
    publish(root, make_record(f"--preset cpu --rate {rate}"))
    with pytest.raises(ValueError, match=message):
        reproduce(root, "toy")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("python other.py", "does not start a recipe"),
        ("python rm recipes/toy.py", "recipes/toy.py is not a flag"),
    ],
)
def test_commands_that_start_no_recipe(root, command, sentence):
    publish(root, make_record(command))
    with pytest.raises(ValueError, match=sentence):
        reproduce(root, "toy")
    assert not (root.parent / "here" / "runs").exists()


@pytest.mark.parametrize(
    ("now", "ok"), [(1.25, True), (0.75, True), (1.26, False), (0.74, False), (float("nan"), False)]
)
def test_tolerance_holds_on_both_sides(now, ok):
    assert Comparison("m", 1.0, now, 0.25).ok is ok
