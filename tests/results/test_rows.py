"""Rows in files, and what they say of themselves."""

import json

import pytest

from keras_gen.results import read_rows, write_rows
from toy_results import make_root, make_row


def test_rows_return_from_files(tmp_path):
    make_root(tmp_path)
    assert read_rows(tmp_path) == {}
    rows = [make_row(), make_row(figure="fid", note="a | b", versions={"k": "1"})]
    path = write_rows(tmp_path, "toy", rows)
    write_rows(tmp_path, "another", rows[:1])
    assert path == tmp_path / "recipes" / "results" / "toy.json"
    found = read_rows(tmp_path)
    assert list(found) == ["another", "toy"] and found["toy"] == rows
    assert (
        list(json.loads(path.read_text())[0])
        == (
            "figure train_size split value spread spread_of seeds preset command config steps "
            "minutes device versions date note"
        ).split()
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[0].pop("figure"), "missing 1 required positional argument: 'figure'"),
        (lambda rows: rows[0].update(color="red"), "unexpected keyword argument 'color'"),
        (lambda rows: rows[0].update(value="85"), "value is '85': expected int | float"),
        (lambda rows: rows[0].update(value=float("nan")), "value is nan"),
        (lambda rows: rows[0].update(steps=None), "steps is None: expected int"),
        (lambda rows: rows[0].update(spread_of=None), "spread is 0.25 and spread_of None: give b"),
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


def test_settings_differ_in_all_but_the_seed():
    row = make_row(config={"rate": 1, "seed": 0})
    assert row.setting == make_row(config={"seed": 3, "rate": 1}, seeds=[3], value=1.0).setting
    for other in (dict(config={"rate": 2, "seed": 0}), dict(train_size="9 of 100"), dict(split="")):
        assert make_row(**dict(config=row.config) | other).setting != row.setting


@pytest.mark.parametrize(
    ("flags", "count"),
    [("", 0), (" --seed 3 --grid-every 2", 0), (" --rate 2 --no-ema --seed 1", 2)],
)
def test_changed_flags(flags, count):
    assert make_row(command=f"python recipes/toy.py --preset cpu{flags}").changed_flags == count
