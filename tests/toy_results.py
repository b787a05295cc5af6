"""A repository with one recipe that trains nothing, and exports that it could have written."""

import json
from pathlib import Path

from keras_gen.workshop.results.declarations import Figure, Published
from keras_gen.workshop.results.page_lines import Group, groups
from keras_gen.workshop.results.pages import BEGIN, END
from keras_gen.workshop.results.records import Record

# Started as a script it needs no TensorFlow, which would take seconds to import.
RECIPE = '''
"""A toy."""

import sys

if __name__ == "__main__":
    import argparse, json, pathlib

    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=pathlib.Path)
    for flag in ("--preset", "--rate", "--seed"):
        parser.add_argument(flag)
    flags = parser.parse_args()
    print("training the toy with", flags.preset, flags.rate, flags.seed)
    if flags.rate == "13":
        sys.exit(3)
    if flags.rate == "14":
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
    assert not flags.output.exists()
    folder = flags.output / "export" / "toy" / "1" / "assets.extra"
    folder.mkdir(parents=True)
    (folder.parent / "saved_model.pb").touch()
    source = "an offline sample" if flags.rate == "15" else "toys/1.0.0"
    metadata = {
        "recipe": "toy", "config": {"preset": flags.preset},
        "metrics": {"nll": 85.1, "nll_error": 0.2, "fid": 3.0},
        "data": {"name": source, "train": f"100 examples: {source}"},
    }
    (folder / "keras_gen.json").write_text(json.dumps(metadata))
    sys.exit()

import dataclasses
from keras_gen.workshop.run import RunSettings, run_recipe

@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    rate: float = 0.1
    """Rate."""
    dataset: str = "cubes"
    """Toys."""

PRESETS = {"smoke": dict(epochs=1), "cpu": dict(epochs=20), "paper": dict(epochs=200)}

def main(run, s):
    pass

if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
'''
PUBLISHED = """
system = "Toy"
family = "vae"
paper = "Toy et al. 2000"
dataset = "Toys"
train_size = 100

[all]
tolerance = 0.1

[figures.nll]
metric = "NLL, rate {rate}"
unit = "nats"
paper_value = 84.0
spread = { "test examples" = "nll_error" }
no_baseline = "a toy"
tolerance = 0.5

[figures.fid]
metric = "FID"
"""
FAMILIES = """
[vae]
title = "Toys"
methods = "toys of all kinds"
image = "toy.png"
alt = "a toy"
recipe = "toy"
figure = "{value:.1f} nats; in the paper {paper:.0f}"
"""
NLL = Figure(
    "nll", "NLL, rate {rate}", "nats", paper_value=84.0, spread={"test examples": "nll_error"},
    no_baseline="a toy", tolerance=0.5,
)  # fmt: skip
FID = Figure("fid", "FID", tolerance=0.1)
METRICS = {"nll": 83.9, "nll_error": 0.25, "fid": 3.05, "steps": 2000, "minutes": 1.5}
NOW = {
    "device": "2 CPU cores",
    "date": "2030-01-02",
    "versions": {"keras_gen": "0.1.0", "keras": "3.15.1"},
}
DATA = {
    "name": "toys/1.0.0",
    "train": "100 examples: toys/1.0.0, split train",
    "test": "1000 examples: toys/1.0.0, split test",
}


def make_root(path: Path) -> Path:
    """A repository in the folder `path`."""
    (path / "recipes" / "results").mkdir(parents=True)
    (path / "recipes" / "toy.py").write_text(RECIPE)
    (path / "recipes" / "results" / "toy.toml").write_text(PUBLISHED)
    (path / "docs").mkdir()
    (path / "docs" / "families.toml").write_text(FAMILIES)
    (path / "README.md").write_text(f"# Toys\n\n{BEGIN}\n{END}\n\nMore.\n")
    return path


def make_export(path: Path, config=None, metrics=None, **changes) -> Path:
    """What is read of an export of the toy: settings and metrics are changed as given."""
    (path / "assets.extra").mkdir(parents=True)
    (path / "saved_model.pb").touch()
    metadata = {
        "recipe": "toy",
        "config": {"preset": "cpu", "seed": 0, "epochs": 20} | (config or {}),
        "data": DATA,
        "metrics": METRICS | NOW | (metrics or {}),
    }
    text = json.dumps(metadata | changes)
    (path / "assets.extra" / "keras_gen.json").write_text(text)
    return path


def make_record(command="--preset cpu", values=None, **changes) -> Record:
    """A run of the toy with these flags; other settings than the rate are added to its config."""
    words = command.split()
    config = {"preset": words[1], "seed": 0, "rate": 0.1} | changes.pop("config", {})
    usual = dict(train_size=100, split="test, 1,000", steps=2000, minutes=1.5, device="2 CPU cores")
    values = {"nll": 83.9, "nll_error": 0.25} if values is None else values
    command = command if command.startswith("python") else f"python recipes/toy.py {command}"
    return Record(command=command, config=config, values=values, **usual | changes)


def make_published(*figures: Figure, **changes) -> Published:
    """What the toy publishes."""
    usual = dict(system="Toy", family="vae", paper="Toy et al. 2000", dataset="Toys")
    return Published(**usual | dict(figures=figures or (NLL, FID), train_size=100) | changes)


def make_groups(*records: Record, of: Published | None = None, recipe="toy") -> list[Group]:
    """The groups of the toy's runs."""
    return groups(recipe, of or make_published(), list(records) or [make_record()])
