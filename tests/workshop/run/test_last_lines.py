"""The last lines of a run."""

import shlex
from pathlib import Path

import pytest

from keras_gen.serving.exported import resolve
from keras_gen.workshop.run.last_lines import longer, numbers, resuming, usage
from processes import ROOT


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ("dcgan_fashion_mnist", "sample: keras-gen sample {} -n 64 --seed 0 -o samples.png"),
        ("cyclegan_monet", "apply: keras-gen apply {} IMAGE.png -o out.png"),
        (
            "sparse_autoencoder_mnist",
            "apply: keras-gen apply {} IMAGE.png -o out.png  (IMAGE.png: 28x28 pixels)",
        ),
        ("document_autoencoder_reuters", None),
    ],
)
def test_says_how_to_use_what_it_exported(recipe, expected):
    folder = ROOT / "saved_models" / recipe
    lines = usage(resolve(folder))
    assert len(lines) == (expected is not None)
    assert all(line.startswith(expected.format(folder)) for line in lines)


def test_numbers_have_their_unit_and_direction(tmp_path):
    metrics = {"nll": 87.654321, "loss": 1.0, "steps": 7}
    assert (numbers(ROOT / "recipes/vae_mnist.py", metrics, {"nll_samples": 10})) == [
        "  NLL, 10 importance samples, nats: 87.65 (lower is better)"
    ]
    recipe, metrics = ROOT / "recipes/denoising_autoencoder_mnist.py", {"masking_gain": 6.0}
    lines = numbers(recipe, metrics, {"amount": 0.25})
    assert lines == ["  PSNR gain, 25% masked, dB: 6 (higher is better)"]
    recipe, metrics = ROOT / "recipes/dcgan_fashion_mnist.py", {"frechet_distance": 0.5}
    (line,) = numbers(recipe, metrics | {"n_generated": 2000}, {})
    assert line.startswith(
        "  Fréchet distance, 2,000 samples, worse of two classifiers: 0.5 (lower is better"
    )
    assert (numbers(tmp_path / "recipes/own.py", {"nll": 1.5}, {})) == ["  nll: 1.5"]


def test_a_run_of_a_preset_has_its_own_figures_with_their_baselines():
    metrics = {"excess_at_128": 0.5, "gray_transfer_excess_at_128": 0.75, "steps": 7}
    lines = numbers(ROOT / "recipes/cyclegan_monet.py", metrics, {"preset": "quick"})
    assert lines == [
        "  excess patch distance (0: paintings, 1: photographs), 128x128: 0.5 "
        "(lower is better; color transfer and gray grain 0.75)"
    ]


def test_says_how_to_train_for_longer(tmp_path):
    first, second = longer(ROOT / "recipes/cyclegan_monet.py", 10)
    assert first.startswith(
        "longer run, 49 minutes on 2 CPU cores: python recipes/cyclegan_monet.py"
    )
    assert "--preset cpu" in first
    assert "--epochs 96" in second
    assert longer(ROOT / "recipes/cyclegan_monet.py", 1e9) == []
    assert longer(tmp_path / "recipes/own.py", 0) == []


def test_longer_commands_repeat_the_users_own_flags():
    flags = {"photos": ["--photos", "my photos"], "margin": ["--margin", "3"]}
    first, second = longer(ROOT / "recipes/cyclegan_monet.py", 10, flags)
    assert first.endswith(" --preset cpu --photos 'my photos' --margin 3")
    # What the published command sets stays as published.
    assert "--margin 16" in second and second.endswith(" --photos 'my photos'")


def test_paths_in_commands_are_quoted(tmp_path):
    there = ROOT / "saved_models" / "dcgan_fashion_mnist"
    folder = tmp_path / "my models" / "gan"
    folder.parent.mkdir()
    folder.symlink_to(there, target_is_directory=True)
    (line,) = usage(resolve(folder))
    assert shlex.split(line)[:5] == ["sample:", "keras-gen", "sample", str(folder), "-n"]
    said = resuming(Path("recipes/toy.py"), Path("my runs/1"))
    assert said == "python recipes/toy.py --resume --output 'my runs/1'"
