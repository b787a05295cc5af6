"""Published commands run again."""

import pytest

from keras_gen.results import write_rows
from keras_gen.results.reproduce import Comparison, reproduce
from toy_results import make_root, make_row

CPU = "python recipes/toy.py --preset cpu --rate 2"


@pytest.fixture
def root(tmp_path):
    return make_root(tmp_path / "root")


def publish(root, *rows):
    write_rows(root, "toy", list(rows))


def test_compares_every_row_of_the_command(root, capfd):
    publish(
        root,
        make_row(command=CPU, value=85.5),
        make_row(command=CPU, value=3.2, figure="fid"),
        make_row(command=f"{CPU} --seed 4", value=0.0, minutes=99),
    )
    nll, fid = reproduce(root, "toy")
    assert (nll.metric, nll.published, nll.now, nll.tolerance, nll.ok) == (
        "NLL", 85.5, 85.1, 0.5, True,
    )  # fmt: skip
    assert (fid.now, fid.ok) == (3.0, False) and fid.difference == pytest.approx(-0.2)
    out = capfd.readouterr().out.splitlines()
    assert out[:2] == [
        CPU,
        "published with 1.5 minutes on 2 CPU cores; the cheapest of 2 published commands",
    ]
    assert out[3] == "training the toy with cpu 2 None"
    (folder,) = (root / "runs" / "reproduce").iterdir()
    assert out[2] == f"into {folder}" and folder.name.startswith("toy-")
    reproduce(root, "toy")
    assert len(list((root / "runs" / "reproduce").iterdir())) == 2


def test_presets_choose(root, tmp_path, capfd):
    paper = "python recipes/toy.py --preset paper"
    publish(root, make_row(command=CPU), make_row(command=paper, preset="paper", minutes=300))
    reproduce(root, "toy", "paper", tmp_path / "new")
    out = capfd.readouterr().out
    assert "training the toy with paper None None" in out and "cheapest" not in out
    assert (tmp_path / "new" / "export" / "toy" / "1").is_dir()
    with pytest.raises(ValueError, match=r"no row of toy has the preset 'smoke': .* cpu, paper"):
        reproduce(root, "toy", "smoke")


@pytest.mark.parametrize(
    ("rate", "message"),
    [
        (13, "the run failed with exit code 3; what it wrote"),
        (14, "the run was ended by signal 9"),
        (15, "trained on an offline sample"),
    ],
)
def test_runs_that_fail(root, rate, message):
    publish(root, make_row(command=f"python recipes/toy.py --preset cpu --rate {rate}"))
    with pytest.raises(ValueError, match=message):
        reproduce(root, "toy")


def test_existing_folders_stay(root, tmp_path):
    publish(root, make_row(command=CPU))
    (tmp_path / "old").mkdir()
    with pytest.raises(FileExistsError, match="is already there: choose another --output"):
        reproduce(root, "toy", output=tmp_path / "old")
    assert not list((tmp_path / "old").iterdir())


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (dict(figure="gone"), "Toy has no figure 'gone': add it to its .toml"),
        (dict(command="python other.py"), "starts no recipe"),
        (dict(command="rm recipes/toy.py"), "starts no recipe"),
    ],
)
def test_rows_that_no_longer_fit(root, row, message):
    publish(root, make_row(**row))
    with pytest.raises(ValueError, match=message):
        reproduce(root, "toy")
    assert not (root / "runs").exists()


def test_nothing_published(root):
    with pytest.raises(ValueError, match="toy has no published rows"):
        reproduce(root, "toy")


@pytest.mark.parametrize(
    ("now", "ok"),
    [(1.25, True), (0.75, True), (1.26, False), (0.74, False), (float("nan"), False)],
)
def test_tolerance_holds_on_both_sides(now, ok):
    assert Comparison("m", "", 1.0, now, 0.25).ok is ok
