"""Images of what a model does."""

import numpy as np

from all_tiny import TINY
from grid_cells import Plain, cells, gray, images, rgb
from keras_gen.files.images import grid
from keras_gen.workshop.visualize import (
    class_traversals,
    interpolations,
    manifold,
    ordered_traversals,
    perturbations,
    random_codes,
    redrawn,
    samples,
    traversals,
)


def test_samples():
    model = TINY["GAN"].compiled()
    drawn = samples(model, 6, seed=2, columns=3)
    np.testing.assert_array_equal(drawn, grid(model.sample(6, seed=2), 3))
    np.testing.assert_array_equal(samples(model, 5), grid(model.sample(5, seed=0)))
    assert (samples(model, 2, seed=None) != samples(model, 2, seed=None)).any()


def test_redrawn(names):
    model, (digits,) = TINY["LadderVAE"].compiled(), TINY["LadderVAE"].data(3)
    found = cells(redrawn(model, digits, seed=1), 4)
    codes = model.encode(digits)
    noise = np.random.default_rng(1).normal(size=codes.shape)
    columns = [digits, *(model.redraw(codes, noise, layers) for layers in range(3))]
    np.testing.assert_array_equal(found, rgb(np.stack(columns, axis=1)))
    assert np.abs(model.decode(codes).astype("float64") - columns[1]).max() <= 1
    last = ["layer 1 resampled", "layers 1 to 2 resampled"]
    assert names["columns"] == ["image", "reconstruction", *last]


class TestInterpolations:
    def test_between_images(self, names):
        found = gray(interpolations(Plain(), images(100, 120), images(140, 124), steps=5), 5)
        assert found == [[100, 110, 120, 130, 140], [120, 121, 122, 123, 124]]
        assert names["columns"] == ["start", "", "", "", "end"]

    def test_between_latents(self):
        found = interpolations(Plain(), [[0, 0]], [[1, 2]], steps=3)
        assert gray(found, 3) == [[100, 106, 112]]

    def test_of_a_generator(self):
        model = TINY["GAN"].compiled()
        ends = np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 0.5]], "float32")
        found = cells(interpolations(model, ends[:1], ends[1:], steps=3), 3)
        latents = np.stack([ends[0], (ends[0] + ends[1]) / 2, ends[1]])
        expected = model.restore(model(latents)).numpy()
        np.testing.assert_array_equal(found[0], rgb(expected))

    def test_of_spatial_codes(self):
        class Spatial(Plain):
            def encode(self, images):
                return images.astype("float32")

            def decode(self, codes):
                return codes.astype("uint8")

        found = interpolations(Spatial(), images(0), images(30), steps=4)
        assert gray(found, 4) == [[0, 10, 20, 30]]

    def test_on_an_arc(self):
        # From (3, 0) to (0, 3): its middle is 3 / sqrt(2) of both.
        found = gray(interpolations(Plain(), [[3, 0]], [[0, 3]], steps=3, spherical=True), 3)
        assert found == [[130, 123, 103]]


class TestTraversals:
    def test_from_the_origin(self, names):
        found = traversals(Plain(), span=2, steps=5)
        assert names == {"rows": ["latent 0", "latent 1"], "columns": ["-2", "-1", "0", "1", "2"]}
        assert gray(found, 5) == [[80, 90, 100, 110, 120], [98, 99, 100, 101, 102]]

    def test_from_images_and_latents(self, names):
        points = images(122, 132)  # codes (2, 2) and (3, 2)
        expected = [[92, 112], [119, 121], [92, 112], [129, 131]]
        assert gray(traversals(Plain(), points, span=1, steps=2), 2) == expected
        of_first = ["example 1, latent 0", "example 1, latent 1"]
        assert names["rows"] == [*of_first, "example 2, latent 0", "example 2, latent 1"]
        assert gray(traversals(Plain(), [[2, 2], [3, 2]], span=1, steps=2), 2) == expected

    def test_of_a_variational_autoencoder_start_at_the_mean(self):
        model, (digits,) = TINY["VAE"].compiled(), TINY["VAE"].data(1)
        mean = model.encode(digits)[0][0]
        latents = [[mean[0], value] for value in (-3, 0, 3)]
        found = cells(traversals(model, digits, dimensions=[1], steps=3), 3)
        np.testing.assert_array_equal(found[0], rgb(model.decode(latents)))


class Posterior(Plain):
    """Three latents, of which the last has a mean, and the first a variance, of the image's."""

    class decoder:  # noqa: N801
        input_shape = (None, 3)

    def encode(self, images):
        values = images[:, 0, 0, 0].astype("float32") - 100
        zeros = np.zeros_like(values)
        return np.stack([zeros, zeros, values], axis=1), np.stack([values, zeros, zeros], axis=1)

    def decode(self, codes):
        return np.round(100 + codes @ [20, 10, 1]).astype("uint8").reshape(-1, 1, 1, 1)


def test_the_latents_of_largest_divergence_come_first():
    # Of images 101 and 99: means of 1 and -1 have 1/2 nat, and variances of e and 1/e, which
    # have cosh(1) - 1 in the mean, 0.543 / 2. The first image is at (0, 0, 1).
    found = gray(ordered_traversals(Posterior(), images(101, 99), span=1, steps=3), 3)
    assert found == [[99, 100, 101], [81, 101, 121], [91, 101, 111]]
    # Of 103 and 97: 9/2 nats, and (cosh(3) - 1) / 2 = 4.53.
    found = ordered_traversals(Posterior(), images(103, 97), most=2, span=1, steps=3)
    assert gray(found, 3) == [[83, 103, 123], [99, 100, 101]]


def test_noise_grows_along_a_row(names):
    points = np.array([[1.0, 2.0], [5.0, 5.0]])
    noise = np.random.default_rng(3).normal(size=(2, 2))
    found = gray(perturbations(Plain(), points, largest=2, steps=5, seed=3), 5)
    moved = points[:, None] + np.linspace(0, 2, 5)[:, None] * noise[:, None]
    np.testing.assert_array_equal(found, np.round(100 + moved @ [10, 1]))
    assert names["columns"] == [f"noise {size}" for size in ("0", "0.5", "1", "1.5", "2")]


class TestManifold:
    def test_takes_quantiles(self):
        # 1/6, 1/2 and 5/6 of the Normal distribution, times ten and one.
        quantile = 0.967422
        found = np.array(gray(manifold(Plain(), side=3), 3))
        steps = np.array([-quantile, 0, quantile])
        expected = np.round(100 + 10 * steps[None, :] + steps[::-1, None])
        np.testing.assert_array_equal(found, expected)
        assert found[0, 2] == 111 and found[2, 0] == 89  # right and up are larger

    def test_of_a_class(self):
        model = TINY["M2"].compiled()
        found = cells(manifold(model, side=3, labels=2), 3)
        np.testing.assert_array_equal(found[1, 1], rgb(model.decode([[0.0, 0.0]], 2))[0])
        assert (manifold(model, side=3, labels=1) != manifold(model, side=3, labels=2)).any()
        row = cells(traversals(model, dimensions=[1], steps=3, labels=2), 3)
        np.testing.assert_array_equal(row[0, 1], found[1, 1])

    def test_of_a_model_in_several_batches(self):
        model = TINY["VAE"].compiled()
        found = cells(manifold(model, side=11), 11)
        assert found.shape == (11, 11, 4, 4, 3)
        np.testing.assert_array_equal(found[5, 5], rgb(model.decode([[0.0, 0.0]]))[0])


class TestRandomCodes:
    def test_codes_that_do_not_vary_give_the_same_on_both_sides(self, names):
        sample_grid = random_codes(Plain(), np.tile([[2.0, 3.0]], [5, 1]), n=4)
        # Two grids of 2 x 2 images of one pixel.
        left, right = cells(sample_grid, 2)[0]
        assert left.shape == (8, 8, 3) and (left == right).all() and (left[2::3, 2::3] == 123).all()
        assert names["columns"] == ["decoded codes of data", "decoded samples from a normal"]

    def test_the_right_side_has_the_moments_of_the_codes(self):
        first = np.random.default_rng(0).normal(3.0, 2.0, 400)
        codes = np.stack([first, 10 * first], axis=1)  # all on one line: image = 100 + 20 first
        n = 400
        _, right = cells(random_codes(Plain(), codes, n), 2)[0]
        values = right[2::3, 2::3, 0].astype("float64").ravel()
        assert len(values) == n
        # Of 400 values a mean is off by 40 / 20, a standard deviation by 40 / 28, as 1 sigma.
        assert abs(values.mean() - 160) < 10 and abs(values.std() - 40) < 8

    def test_the_left_side_shows_codes_of_data(self):
        left, _ = cells(random_codes(Plain(), [[0.0, 1.0], [5.0, 5.0], [9.0, 0.0]], n=3), 2)[0]
        assert sorted(left[2::3, 2::3, 0].ravel().tolist()) == [101, 155, 190, 255]


def test_class_traversals(names):
    model, (digits,) = TINY["GumbelVAE"].compiled(), TINY["GumbelVAE"].data(2)
    codes = model.encode(digits)
    found = cells(class_traversals(model, digits, variables=[2, 0]), 4)
    assert found.shape[:2] == (4, 4)
    of_first = ["example 1, variable 2", "example 1, variable 0"]
    assert names["rows"] == [*of_first, "example 2, variable 2", "example 2, variable 0"]
    assert names["columns"] == ["0", "1", "2", "3"]
    for row, (example, variable) in enumerate(((0, 2), (0, 0), (1, 2), (1, 0))):
        moved = np.repeat(codes[[example]], 4, axis=0)
        moved[:, variable] = range(4)
        np.testing.assert_array_equal(found[row], rgb(model.decode(moved)))
        # In the column of its own class the image is its reconstruction.
        own = found[row, codes[example, variable]]
        np.testing.assert_array_equal(own, rgb(model.decode(codes[[example]]))[0])
    whole = class_traversals(model, codes[:1])
    np.testing.assert_array_equal(whole, class_traversals(model, digits[:1], range(3)))
    of_codes = class_traversals(model, codes, [2, 0])
    np.testing.assert_array_equal(of_codes, class_traversals(model, digits, [2, 0]))
