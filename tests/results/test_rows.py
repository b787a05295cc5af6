"""Rows in files, and what they say of themselves."""

import json

import pytest

from keras_gen.results import read_rows, write_rows
from toy_results import make_root, make_row


def test_rows_return_from_files(tmp_path):
    make_root(tmp_path)
    assert read_rows(tmp_path) == {}
    rows = [make_row(), make_row(metric="FID", paper_value=None, note="a | b", versions={"k": "1"})]
    path = write_rows(tmp_path, "toy", rows)
    write_rows(tmp_path, "another", rows[:1])
    assert path == tmp_path / "recipes" / "results" / "toy.json"
    found = read_rows(tmp_path)
    assert list(found) == ["another", "toy"] and found["toy"] == rows
    assert (
        list(json.loads(path.read_text())[0])
        == (
            "system family paper dataset train_size split metric unit higher_is_better paper_value "
            "value spread seeds preset command config steps minutes device versions date note"
        ).split()
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[0].pop("unit"), "missing 1 required positional argument: 'unit'"),
        (lambda rows: rows[0].update(color="red"), "unexpected keyword argument 'color'"),
        (lambda rows: rows[0].update(value="85"), "value is '85': expected int | float"),
        (lambda rows: rows[0].update(value=float("nan")), "value is nan"),
        (lambda rows: rows[0].update(steps=None), "steps is None: expected int"),
        (lambda rows: rows.append("row"), "must be a mapping"),
    ],
)
def test_edited_files(tmp_path, change, message):
    path = write_rows(make_root(tmp_path), "toy", [make_row()])
    rows = json.loads(path.read_text())
    change(rows)
    path.write_text(json.dumps(rows))
    with pytest.raises(ValueError) as error:
        read_rows(tmp_path)
    assert message in str(error.value) and str(error.value).startswith(f"{path} cannot be used (")


@pytest.mark.parametrize("text", ["{", "{}"])
def test_files_that_are_no_rows(tmp_path, text):
    (make_root(tmp_path) / "recipes" / "results" / "toy.json").write_text(text)
    with pytest.raises(ValueError, match=r"toy\.json cannot be used"):
        read_rows(tmp_path)


def test_no_repository(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no folder recipes: .* --root"):
        read_rows(tmp_path)


@pytest.mark.parametrize(
    ("value", "paper", "higher", "expected"),
    [
        (85.0, None, False, None),
        (83.0, 84.0, False, 0),
        (84.0, 84.0, False, 0),
        (84.004, 84.0, False, 0),  # as good in four digits
        (84.006, 84.0, False, 0.01),
        (85.5, 84.0, False, 1.5),
        (85.5, 84.0, True, 0),
        (82.0, 84.0, True, 2.0),
        (0.9, 0.95, True, 0.05),
        (0.1, 0.0, False, 0.1),
        (-5.0, -6.0, False, 1.0),
        (12345, 12340, False, 0),
    ],
)
def test_missed_by(value, paper, higher, expected):
    missed = make_row(value=value, paper_value=paper, higher_is_better=higher).missed_by
    assert missed == (expected if expected is None else pytest.approx(expected, abs=1e-9))
    assert not expected or missed > 0


@pytest.mark.parametrize(
    ("flags", "count"),
    [("", 0), (" --seed 3 --grid-every 2", 0), (" --rate 2 --no-ema --seed 1", 2)],
)
def test_changed_flags(flags, count):
    assert make_row(command=f"python recipes/toy.py --preset cpu{flags}").changed_flags == count
