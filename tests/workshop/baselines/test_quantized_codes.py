"""Codes without a network, on images where they lose nothing or a known amount."""

import numpy as np
import pytest

from keras_gen.workshop.baselines import CodedComponents, PatchCodebook, QuantizedComponents
from keras_gen.workshop.baselines.quantized_codes import Quantizer, least_squares_levels


class TestPatches:
    def test_nothing_is_lost_with_a_code_for_each_patch(self, rng):
        patches = rng.integers(0, 256, (5, 2, 2, 3), "uint8")
        chosen = np.r_[np.arange(5), rng.integers(0, 5, 43)].reshape(8, 3, 2)
        images = patches[chosen].transpose(0, 1, 3, 2, 4, 5).reshape(8, 6, 4, 3)
        book = PatchCodebook(images, side=2, codes=5, seed=1)
        codes = book.encode(images)
        assert codes.dtype == np.int32 and codes.shape == (8, 3, 2)
        np.testing.assert_array_equal(book.reconstruct(images), images)
        # The codes equal the patches' indices up to a permutation.
        names = {(a, b) for a, b in zip(codes.ravel(), chosen.ravel(), strict=True)}
        assert len(names) == 5
        np.testing.assert_array_equal(book.decode(codes[:2]), images[:2])

    def test_one_code_is_the_mean_patch(self, rng):
        images = rng.integers(0, 256, (6, 4, 4, 1), "uint8")
        found = PatchCodebook(images, side=4, codes=1).reconstruct(images[:2])
        mean = images.mean(axis=0).round()
        assert np.abs(found - mean).max() <= 1

    def test_each_patch_gets_the_nearest_code(self, rng):
        images = rng.integers(0, 256, (30, 4, 4, 1), "uint8")
        book = PatchCodebook(images, side=4, codes=6)
        others = rng.integers(0, 256, (9, 4, 4, 1), "uint8")
        all_codes = book.decode(np.arange(6).reshape(6, 1, 1)).astype(float)
        errors = ((others[:, None] - all_codes[None]) ** 2).sum(axis=(2, 3, 4))
        np.testing.assert_array_equal(book.encode(others)[:, 0, 0], errors.argmin(axis=1))

    def test_only_some_patches_are_fitted_to(self, rng):
        images = rng.integers(0, 256, (30, 4, 4, 1), "uint8")
        own = PatchCodebook(images, side=4, codes=20, most=20).reconstruct(images)
        assert (own == images).all(axis=(1, 2, 3)).sum() == 20


class TestComponents:
    def test_nothing_is_lost_where_each_component_has_as_many_values(self):
        """One pixel has 4 levels, another 2, independently: 3 bits."""
        first, second = (grid.ravel() for grid in np.meshgrid([0, 50, 100, 150], [0, 40]))
        images = np.stack([first, second], axis=-1).reshape(8, 1, 2, 1).astype("uint8")
        code = QuantizedComponents(images, bits=3)
        assert code.bits.tolist() == [2, 1]
        np.testing.assert_array_equal(code.reconstruct(images), images)
        # Without the last bit the second pixel is its mean.
        fewer = QuantizedComponents(images, bits=2).reconstruct(images)
        np.testing.assert_array_equal(fewer[:, 0, 0], images[:, 0, 0])
        assert (fewer[:, 0, 1] == 20).all()

    def test_many_bits_leave_what_the_components_leave(self, rng):
        images = rng.integers(0, 256, (9, 2, 2, 1), "uint8")
        code = QuantizedComponents(images, bits=60)
        np.testing.assert_array_equal(code.reconstruct(images), images)

    def test_bits_are_the_codes(self, rng):
        """There are no more different reconstructions than the bits can tell apart."""
        images = rng.integers(0, 256, (300, 4, 4, 1), "uint8")
        code = QuantizedComponents(images, bits=4)
        assert code.bits.sum() == 4
        others = rng.integers(0, 256, (500, 4, 4, 1), "uint8")
        assert 8 < len(np.unique(code.reconstruct(others), axis=0)) <= 16


class TestAllocation:
    # Max: "Quantizing for Minimum Distortion", IRE Transactions 1960, table I: squared errors of
    # 1, 2, 4 and 8 levels of a standard Normal.
    MAX = np.array([1.0, 0.3634, 0.1175, 0.03454])

    def test_gains_are_those_of_lloyd_and_max(self, rng):
        quantizer = Quantizer(3 * rng.normal(size=100_000))
        for gain in 9 * (self.MAX[:-1] - self.MAX[1:]):
            assert quantizer.gain == pytest.approx(gain, rel=0.02)
            quantizer.add_bit()
        assert quantizer.bits == 3 and len(quantizer.levels) == 8

    def test_a_bit_goes_where_it_gains_most(self, rng):
        """The second bit of the first pixel gains 0.246 of its variance, the first of the second,
        of 0.3 times the variance, 0.191: dividing errors by 4 would choose the second."""
        normal = 128 + 40 * rng.normal(size=(4000, 2)) * np.sqrt([1.0, 0.3])
        images = normal.round().clip(0, 255).astype("uint8").reshape(-1, 1, 2, 1)
        found = {bits: sorted(QuantizedComponents(images, bits).bits) for bits in (2, 3)}
        assert found == {2: [0, 2], 3: [1, 2]}


class TestCoded:
    def test_a_code_has_the_bits_that_it_was_given(self, rng):
        images = rng.integers(0, 256, (2000, 2, 2, 1), "uint8")
        errors = []
        for bits in (4, 8, 12):
            code = CodedComponents(images, bits)
            assert code.code_length(images) == pytest.approx(bits, rel=0.01)
            errors.append(np.mean((code.reconstruct(images).astype(float) - images) ** 2))
        assert errors == sorted(errors, reverse=True)

    def test_rates_are_those_of_a_step(self, rng):
        """Two bits more of an entropy code divide the error of each of two pixels by 4."""
        images = rng.integers(0, 256, (20_000, 1, 2, 1), "uint8")
        errors = []
        for bits in (6, 8):
            found = CodedComponents(images, bits).reconstruct(images)
            errors.append(np.mean((found.astype(float) - images) ** 2))
        assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)

    def test_it_beats_codes_of_fixed_length(self, rng):
        """Max (1960), table II: at equal bits, of a Normal variable."""
        normal = 128 + 30 * rng.normal(size=(10_000, 1, 2, 1))
        images = normal.round().clip(0, 255).astype("uint8")
        errors = [
            np.mean((code(images, 6).reconstruct(images).astype(float) - images) ** 2)
            for code in (CodedComponents, QuantizedComponents)
        ]
        assert errors[0] < 0.85 * errors[1]


def test_levels_of_least_squared_error(rng):
    assert least_squares_levels(np.array([1.0, 3.0, 9.0, 11.0]), 2).tolist() == [2, 10]
    assert least_squares_levels(np.array([1.0, 3.0, 11.0]), 1).tolist() == [5]
    # Of a Normal distribution: Max (1960), table I, two levels at sqrt(2 / pi), error 0.3634.
    values = rng.normal(size=200_000)
    levels = least_squares_levels(values, 2)
    np.testing.assert_allclose(levels, np.sqrt(2 / np.pi) * np.array([-1, 1]), atol=0.01)
    error = np.abs(values[:, None] - levels).min(axis=1)
    assert np.mean(error**2) == pytest.approx(1 - 2 / np.pi, abs=0.01)
