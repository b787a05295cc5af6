"""What is missing, what is minimized, who sees what, and that known pixels stay."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.networks import context_decoder, context_encoder, dcgan_discriminator
from keras_gen.translation import ContextEncoder
from tiny import losses_of

SHAPE = (16, 16, 3)


def build(region=None, **options):
    networks = context_encoder(SHAPE, filters=2), context_decoder(SHAPE, filters=2)
    critic = None if region is None else dcgan_discriminator((region, region, 3), filters=2)
    return ContextEncoder(*networks, critic, **options)


def images(rng, n=5):
    return rng.integers(0, 256, (n, *SHAPE), dtype="uint8")


def shown_to_the_discriminator(model, x) -> list:
    """What the discriminator takes in one step."""
    seen = []
    judge = model.discriminator

    def watched(images, training):
        seen.append(images)
        return judge(images, training=training)

    model.discriminator = watched
    model.test_step(x)
    return seen


class TestRegions:
    @pytest.mark.parametrize(("overlap", "side"), [(0, 8), (1, 6), (3, 2)])
    def test_the_center_is_half_the_side_less_the_overlap(self, overlap, side):
        masks = build(overlap=overlap).masks(2)
        expected = np.zeros([16, 16], "uint8")
        expected[8 - side // 2 : 8 + side // 2, 8 - side // 2 : 8 + side // 2] = 1
        assert masks.shape == (2, 16, 16, 1) and masks.dtype == np.uint8
        assert (masks[..., 0] == expected).all()

    def test_random_ones_are_a_quarter_of_each_image_and_differ(self):
        masks = build(mask="random").masks(20, seed=1)
        assert masks.shape == (20, 16, 16, 1) and masks.dtype == np.uint8
        assert (masks.mean(axis=(1, 2, 3)) == 0.25).all()
        assert len({mask.tobytes() for mask in masks}) == 20


class TestLosses:
    def test_equation_1_in_numpy_with_the_heavier_border(self, rng):
        model = build(overlap=1, overlap_weight=10.0)
        model.compile()
        x = images(rng) / np.float32(127.5) - 1
        hole, region = np.zeros([2, 16, 16, 1], "float32")
        hole[5:11, 5:11], region[4:12, 4:12] = 1, 1
        filled = model((1 - hole) * x).numpy()
        weights = hole + 10 * (region - hole)
        expected = (weights * (x - filled) ** 2).sum() / (5 * 8 * 8 * 3)
        losses = model.evaluate(x, batch_size=5, return_dict=True, verbose=0)
        np.testing.assert_allclose(losses["reconstruction_loss"], expected, rtol=1e-4)
        assert losses["g_loss"] == losses["reconstruction_loss"] and "d_loss" not in losses

    def test_equation_3(self, rng):
        model = build(8, reconstruction_weight=0.9, adversarial_weight=0.2)
        model.compile()
        losses = model.evaluate(images(rng), batch_size=5, return_dict=True, verbose=0)
        total = 0.9 * losses["reconstruction_loss"] + 0.2 * losses["adversarial_loss"]
        np.testing.assert_allclose(losses["g_loss"], total, rtol=1e-5)

    @pytest.mark.parametrize(("mask", "region"), [("center", 8), ("random", 16)])
    def test_what_is_missing_is_never_shown(self, mask, region, rng):
        """Two images that differ in the missing pixels alone are filled in alike."""
        model = build(region, mask=mask)
        x, noise = images(rng), images(rng)
        masks = model.masks(5, seed=3)
        other = np.where(masks > 0, noise, x)
        np.testing.assert_array_equal(model.inpaint(x, masks), model.inpaint(other, masks))

    def test_the_discriminator_sees_the_predicted_region_only(self, rng):
        """In the center F's own pixels, and for random regions known ones around them."""
        x = tf.constant(images(rng) / np.float32(127.5) - 1)
        for model in (build(8), build(16, mask="random")):
            missing = model._missing(5, model.stateless_seed("regions"))
            filled = model((1 - missing) * x)
            model.compile()
            predicted, real, again = shown_to_the_discriminator(model, x)
            np.testing.assert_array_equal(predicted, again)
            if model.mask == "center":
                expected = filled[:, 4:12, 4:12]
            else:
                expected = missing * filled + (1 - missing) * x
            np.testing.assert_allclose(predicted, expected, atol=1e-5)
            known = x[:, 4:12, 4:12] if model.mask == "center" else x
            np.testing.assert_array_equal(real, known)

    @pytest.mark.thorough
    def test_the_reconstruction_loss_alone_needs_no_discriminator(self, rng):
        model = build(mask="random")
        model.compile()
        assert list(model.players()) == ["g_optimizer"]
        logs = losses_of(model.fit(images(rng, 8), batch_size=4, verbose=0).history)
        assert set(logs) == {"g_loss", "reconstruction_loss"} == set(model.loss_names)
        copy = ContextEncoder.from_config(model.get_config())
        assert copy.discriminator is None and copy.mask == "random"


class TestUse:
    def test_known_pixels_are_kept_exactly(self, rng):
        model, x = build(), images(rng)
        masks = rng.integers(0, 2, (5, 16, 16))
        filled = model.inpaint(x, masks, batch_size=2)
        assert filled.dtype == np.uint8 and filled.shape == x.shape
        np.testing.assert_array_equal(filled[masks == 0], x[masks == 0])
        assert (filled[masks == 1] != x[masks == 1]).mean() > 0.9
        np.testing.assert_array_equal(filled, model.inpaint(x, masks[..., None] > 0))

    def test_the_signature_inpaint_draws_its_regions(self, rng):
        model, x = build(mask="random"), tf.constant(images(rng))
        inpaint, _ = model.signatures()["inpaint"]
        changed = (inpaint(x)["images"] != x).numpy().any(axis=-1)
        assert 0.2 < changed.mean() <= 0.25

    @pytest.mark.parametrize(
        ("images", "masks", "sentence"),
        [
            (np.zeros([2, *SHAPE], "uint8"), np.zeros([2, 16, 8]), r"Masks have shape \(2, 16, 8"),
            (np.zeros([2, *SHAPE], "uint8"), np.zeros([3, 16, 16]), "2 images and 3 masks"),
        ],
    )
    def test_refused(self, images, masks, sentence):
        with pytest.raises(ValueError, match=sentence):
            build().inpaint(images, masks)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (dict(overlap=4), "overlap is 4 for images of 16 pixels: expected 0 to 3"),
        (dict(region=16), r"accepts \(16, 16, 3\): expected \(8, 8, 3\), .*mask='center'"),
    ],
)
def test_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        build(**options)


def test_networks_that_do_not_fit():
    with pytest.raises(ValueError, match=r"decoder returns x of shape .*: expected \(16, 16, 3\)"):
        ContextEncoder(context_encoder((16, 16, 3), 2), context_decoder((16, 16, 1), 2))
