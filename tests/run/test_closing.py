"""The last lines of a run."""

import pytest

from keras_gen.run.closing import made, numbers, usage
from keras_gen.serving.exported import resolve
from processes import ROOT


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ("dcgan_fashion_mnist", "draw: keras-gen sample {} -n 64 --seed 0 -o samples.png"),
        ("cyclegan_monet", "apply: keras-gen apply {} IMAGE.png -o out.png"),
        ("sparse_autoencoder_mnist", "apply: keras-gen apply {} IMAGE.png -o out.png  (of 28x28 "),
        ("document_autoencoder_reuters", None),
    ],
)
def test_says_how_to_use_what_it_exported(recipe, expected):
    folder = ROOT / "saved_models" / recipe
    serve, *lines = usage(resolve(folder))
    assert serve.startswith("serve it: docker run") and len(lines) == (expected is not None)
    assert all(line.startswith(expected.format(folder)) for line in lines)


def test_numbers_have_their_unit_and_direction(tmp_path):
    metrics = {"nll": 87.654321, "loss": 1.0, "steps": 7}
    assert (numbers(ROOT / "recipes/vae_mnist.py", metrics, {"nll_samples": 10})) == [
        "  nll: 87.65  (NLL, 10 importance samples, nats, lower is better)",
        "  loss: 1",
        "  steps: 7",
    ]
    recipe, metrics = ROOT / "recipes/denoising_autoencoder_mnist.py", {"masking_gain": 6.0}
    lines = numbers(recipe, metrics, {"amount": 0.25})
    assert lines == ["  masking_gain: 6  (PSNR gain, 25% masked, dB, higher is better)"]
    recipe, metrics = ROOT / "recipes/dcgan_fashion_mnist.py", {"frechet_distance": 0.5}
    line, _ = numbers(recipe, metrics | {"n_generated": 2000}, {})
    assert "(Fréchet distance of 2,000, worse of the two, lower is better)" in line
    assert (numbers(tmp_path / "recipes/own.py", {"nll": 1.5}, {})) == ["  nll: 1.5"]


def test_a_smoke_run_says_what_it_made(tmp_path):
    for name in ("losses.png", "b.wav", "metrics.json", "history.csv"):
        (tmp_path / name).touch()
    first, second = made(tmp_path)
    assert first == "made: b.wav, losses.png, metrics.json" and "mean nothing" in second
