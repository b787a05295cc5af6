"""Images during training."""

import keras
import numpy as np
import pytest

from all_tiny import TINY
from keras_gen.core.callbacks import SampleGrid
from keras_gen.files.images import read_image
from keras_gen.workshop.visualize import samples
from processes import tasks


def fit(callback, epochs=4, **kwargs):
    model = TINY["VAE"].compiled()
    model.fit(*TINY["VAE"].data(4), verbose=0, epochs=epochs, callbacks=[callback], **kwargs)
    return model


def names(folder):
    return sorted(path.name for path in folder.glob("**/*"))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("every", "expected"), [(1, [1, 2, 3, 4]), (2, [1, 2, 4]), (3, [1, 3]), (5, [1])]
)
def test_a_image_every_few_epochs(tmp_path, capsys, every, expected):
    def draw(model):
        return np.full([3, 4, 3], int(model.step.numpy()), "uint8")

    fit(SampleGrid(draw, tmp_path / "samples", every))
    files = [f"epoch-{epoch:04d}.png" for epoch in expected]
    assert names(tmp_path / "samples") == files
    for epoch, file in zip(expected, files, strict=True):
        assert (read_image(tmp_path / "samples" / file) == epoch).all()
    lines = [line for line in capsys.readouterr().out.splitlines() if "image" in line]
    assert lines == [f"  image: {tmp_path / 'samples' / file}" for file in files]


@pytest.mark.thorough
def test_few_paths_are_printed_of_many_images(tmp_path, capsys):
    fit(SampleGrid(lambda model: np.zeros([2, 2, 3], "uint8"), tmp_path, lines=2), epochs=7)
    lines = capsys.readouterr().out.splitlines()
    assert [line[-8:-4] for line in lines if "image" in line] == ["0001", "0004"]
    assert len(names(tmp_path)) == 7


def test_draws_with_averaged_weights_and_leaves_the_trained_ones(tmp_path):
    seen = []

    def draw(model):
        seen.append(model.get_weights())
        return np.zeros([2, 2, 3], "uint8")

    class Trained(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.get_weights())

    sample_grid = SampleGrid(draw, tmp_path)
    model = TINY["VAE"].compiled()  # whose optimizer keeps averages
    model.fit(*TINY["VAE"].data(4), batch_size=1, verbose=0, callbacks=[sample_grid, Trained()])
    averaged, after = seen
    assert any((a != b).any() for a, b in zip(averaged, after, strict=True))


@pytest.mark.thorough
def test_images_of_any_number_of_channels_are_drawn(tmp_path):
    """Those of a function of its own, and of a model: red and white in two channels and in four."""
    two = np.full([1, 3, 4, 2], 255, "uint8") - np.array([165, 0], "uint8")
    four = np.full([1, 3, 4, 4], 255, "uint8") - np.array([0, 255, 255, 0], "uint8")
    made = [two, four]
    expected = [[[90] * 3] * 4 + [[255] * 3] * 4, [[255, 0, 0]] * 4]

    class Model:
        def sample(self, n, seed):
            return made[epoch]

    for epoch in range(2):
        drawn = samples(Model(), 1)
        scale = len(drawn) // 7  # 3 pixels, and 2 above and below
        bare = drawn[::scale, ::scale]
        np.testing.assert_array_equal(bare[2:-2, 2:-2], [expected[epoch]] * 3)
    fit(SampleGrid(lambda model: made.pop(0)[0], tmp_path), epochs=2)
    for epoch in range(2):
        found = read_image(tmp_path / f"epoch-{epoch + 1:04d}.png")
        np.testing.assert_array_equal(found, [expected[epoch]] * 3)


@pytest.mark.thorough
def test_only_the_chief_draws(tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", tasks(2)[1])
    fit(SampleGrid(lambda model: np.zeros([2, 2, 3], "uint8"), tmp_path), epochs=1)
    assert names(tmp_path) == []
