"""Models of rows of numbers in any units: they standardize, and answer in the data's units."""

import math
import warnings

import keras
import numpy as np
import pandas
import pytest
import tensorflow as tf

import keras_gen
from keras_gen.core import CheckpointError, TrainingState
from keras_gen.core.kinds_of_data import StandardizedVectors, Vectors
from keras_gen.losses import ColumnNormal, NormalMixture
from keras_gen.networks import made, mlp_decoder, mlp_encoder
from keras_gen.serving.export import export, load_weights
from shared import losses_of

MEAN, DEVIATION = np.array([5.0, -7.0, 20_000.0]), np.array([1e-3, 5.0, 1000.0])
SMALL = dict(latent_dim=2, hidden=(4,))


@pytest.fixture
def rows(rng):
    return rng.normal(MEAN, DEVIATION, (500, 3))


def adapted(model, rows):
    model.edges["x"].adapt([rows])
    return model


# The kind of data --------------------------------------------------------------------------------


def test_columns_have_mean_0_and_deviation_1_inside(rows):
    edge = StandardizedVectors((3,))
    edge.adapt([rows[:100], rows[100:101], rows[:0], rows[101:]])
    np.testing.assert_allclose(edge.mean.numpy(), rows.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(edge.deviation.numpy(), rows.std(axis=0), rtol=1e-6)
    inside = edge.prepare(rows).numpy()
    np.testing.assert_allclose(inside.mean(axis=0), 0, atol=1e-2)
    np.testing.assert_allclose(inside.std(axis=0), 1, atol=1e-2)
    outside = edge.restore(inside)
    assert outside.dtype == "float32" and edge.adapted
    np.testing.assert_allclose(outside, rows, rtol=1e-6, atol=1e-5)


def test_channels_of_series_are_columns(rng):
    series = rng.normal([3.0, 40.0], [1.0, 20.0], (50, 7, 2))
    edge = StandardizedVectors((7, 2))
    edge.adapt([series])
    np.testing.assert_allclose(edge.mean.numpy(), series.mean(axis=(0, 1)), rtol=1e-6)
    # Each of the 7 steps has a density in the unit of its channel.
    expected = 7 * np.log(series.std(axis=(0, 1))).sum()
    np.testing.assert_allclose(edge.nats_outside(0.0), expected, rtol=1e-5)


def test_a_column_of_one_value_keeps_its_unit_inside_and_its_value_outside():
    edge = StandardizedVectors((2,))
    edge.adapt([np.array([[0.1, 1.0]]), np.array([[0.1, 3.0], [0.1, 5.0]])])
    assert edge.mean.numpy()[0] == 0.1 and edge.deviation.numpy()[0] == 0
    np.testing.assert_allclose(edge.prepare([[0.6, 3.0]]), [[0.5, 0]], atol=1e-6)
    np.testing.assert_array_equal(edge.restore([[7.0, 0.0]]), np.float32([[0.1, 3.0]]))
    np.testing.assert_allclose(edge.nats_outside(0.0), np.log(edge.deviation.numpy()[1]))


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("VAE", {}),
        ("ConditionalVAE", dict(classes=2)),
        ("M2", dict(classes=2)),
        ("FactorVAE", {}),
        ("VQVAE", {}),
        ("Autoencoder", {}),
        ("ClassifyingAutoencoder", dict(classes=2)),
        ("GAN", {}),
        ("InfoGAN", {}),
        ("ConditionalGAN", dict(classes=2)),
        ("Flow", dict(steps=1, latent_dim=None)),
        ("FlowMatching", dict(width=4, blocks=1, latent_dim=None, hidden=None)),
    ],
)
def test_every_family_gives_a_column_of_one_value_back(name, options):
    options = {n: value for n, value in (SMALL | options).items() if value is not None}
    model = getattr(keras_gen, name).for_vectors(2, **options)
    rows = np.array([[1.0, 0.1], [2.0, 0.1]])
    adapted(model, rows)
    found = model.sample(2, seed=1) if hasattr(model, "sample") else model.reconstruct(rows)
    assert (found[:, 1] == np.float32(0.1)).all() and found[:, 0].std() > 0


@pytest.mark.parametrize(
    "values,sentence",
    [
        ([[1.0, np.nan]], "have nan in column 1 of row 0, .* Leave out such rows"),
        ([[1.0, 2.0], [-np.inf, 2.0]], "have -inf in column 0 of row 1"),
        ([[1.7e9, 0.0], [1.7e9 + 60, 1.0]], r"mean 1\.7e\+09 .* column 0, .* subtract a number"),
        ([[1.7e18, 0.0], [1.7e18 + 1e6, 1.0]], r"mean 1\.7e\+18 .* column 0, .* subtract a number"),
        ([[1.0, 2.0, 3.0]], r"shape \(1, 3\): expected \[batch, 2\]"),
        ([[1.0, 1e200]], "have 1e.200 in column 1 .* expected finite numbers up to 3.4e38"),
        (
            [[0.0, 1e-40], [0.0, 2e-40]],
            "standard deviation of column 1, .* is 5e-41: .* another unit",
        ),
        (
            [[0.0, 1e38], [0.0, -1e38]],
            "standard deviation of column 1, .* is 1e.38: .* another unit",
        ),
    ],
)
def test_what_cannot_be_standardized(values, sentence):
    edge = StandardizedVectors((2,))
    with pytest.raises(ValueError, match=sentence):
        edge.adapt([np.array(values)])
    assert not edge.adapted


@pytest.mark.parametrize("kind", ["float64", "int64", "a constant"])
def test_large_numbers_keep_their_differences(kind):
    """The mean is subtracted in float64."""
    times = 1_700_000_001 + 100 * np.arange(64) * (kind != "a constant")
    values = np.stack([times, np.arange(64)], axis=1).astype(
        "int64" if kind == "int64" else "float64"
    )
    edge = StandardizedVectors((2,))
    edge.adapt([values])
    deviation = np.where(values.std(axis=0) > 0, values.std(axis=0), 1)
    expected = (values - values.mean(axis=0)) / deviation
    np.testing.assert_allclose(edge.prepare(values), expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(edge.restore(edge.prepare(values)), values, rtol=1e-7, atol=1e-5)


def test_scales_that_float32_can_hold(rng):
    for scale in (1e-29, 1e29):
        values = scale * rng.normal(size=(50, 2))
        edge = StandardizedVectors((2,))
        edge.adapt([values.astype("float32")])
        np.testing.assert_allclose(edge.prepare(values).numpy().std(axis=0), 1, rtol=1e-5)
        far = edge.restore(100 * edge.prepare(values)).numpy().astype("float64") / scale
        assert np.isfinite(far).all() and (np.abs(far).max(axis=0) > 100).all()
        with pytest.raises(ValueError, match=r"^Vectors have .*: expected finite numbers"):
            edge.prepare([[3e38 if scale < 1 else np.inf, 0.0]])


@pytest.mark.parametrize("name", ["DDPM", "EDM", "FlowMatching", "ConditionalDDPM", "Flow"])
@pytest.mark.parametrize("standardize", [True, False])
def test_numbers_too_large_for_networks(name, standardize):
    options = dict(steps=1, hidden=(2,)) if name == "Flow" else dict(width=4, blocks=1)
    given = ([0],) if name == "ConditionalDDPM" else ()
    options |= dict(classes=2) if given else {}
    model = getattr(keras_gen, name).for_vectors(2, standardize=standardize, **options)
    if standardize:
        adapted(model, np.array([[1.0, 0.1], [3.0, 0.3]]))
    assert not np.isnan(model.log_prob([[9e28, -9e28]], *given)).any()
    for function in (model.log_prob, model.encode):
        with pytest.raises(ValueError, match=r"have 2e\+38 in column 1 .* numbers up to 1e\+30"):
            function([[0.0, 2e38]], *given)


# Scores in the data's units ----------------------------------------------------------------------


@pytest.mark.thorough
def test_a_flow_that_changes_nothing_has_the_density_of_a_normal(rows):
    model = adapted(keras_gen.Flow.for_vectors(3, steps=1, hidden=(2,)), rows)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    z = (rows - mean) / deviation
    expected = -0.5 * (z**2 + np.log(2 * np.pi)) - np.log(deviation)
    np.testing.assert_allclose(model.log_prob(rows), expected.sum(axis=1), atol=1e-2)
    np.testing.assert_allclose(model.decode(model.encode(rows)), rows, rtol=1e-4)


@pytest.mark.thorough
def test_a_vae_of_standardized_rows_differs_by_the_logarithm_of_the_units(rows):
    encoder = mlp_encoder((3,), 2, hidden=(4,), heads=("mean", "log_variance"))
    decoder = mlp_decoder((6,), 2, hidden=(4,))
    inside = keras_gen.VAE(encoder, decoder, "unbounded_normal")
    outside = keras_gen.VAE(encoder, decoder, "unbounded_normal", standardize=True)
    adapted(outside, rows)
    standardized = outside.prepare(rows).numpy()
    log_units = np.log(rows.std(axis=0)).sum()
    expected = inside.log_prob(standardized) - log_units
    np.testing.assert_allclose(outside.log_prob(rows), expected, atol=1e-3)
    expected = inside.reconstruct(standardized) * rows.std(axis=0) + rows.mean(axis=0)
    np.testing.assert_allclose(outside.reconstruct(rows), expected, rtol=1e-5)


CLASSES = {"VAE": {}, "ConditionalVAE": {"classes": 2}, "M2": {"classes": 2}}


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # of Keras, before its error
@pytest.mark.parametrize("name", CLASSES)
def test_weights_from_before_the_likelihood_changed_name_the_one_that_they_need(name, tmp_path):
    def made(**options):
        model = getattr(keras_gen, name).for_vectors(3, **SMALL, **CLASSES[name], **options)
        model.compile(run_eagerly=True)
        return model

    older = made(likelihood="unbounded_normal")
    older.save_weights(tmp_path / "a.weights.h5")
    older.export(tmp_path / "older", signatures=["score"])
    state = TrainingState(tmp_path / "checkpoints", {})
    parts = np.eye(3), np.array([0, 1, 1])
    older.fit(*parts[: len(older.batch)], verbose=0, callbacks=[state])
    model = made()
    before = model.get_weights()
    resumed = TrainingState(tmp_path / "checkpoints", {})
    calls = {
        "weights": lambda: model.load_weights(tmp_path / "a.weights.h5"),
        "export": lambda: load_weights(model, tmp_path / "older"),
        "checkpoint": lambda: model.fit(
            *parts[: len(model.batch)], initial_epoch=1, epochs=2, callbacks=[resumed], verbose=0
        ),
    }
    for call in calls.values():
        with pytest.raises(
            (ValueError, CheckpointError), match='need likelihood="unbounded_normal"'
        ):
            call()
        for weight, value in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weight, value)
    made(likelihood="unbounded_normal").load_weights(tmp_path / "a.weights.h5")


def test_answers_in_unknown_units_are_announced(rows):
    model = keras_gen.Autoencoder.for_vectors(3, **SMALL)
    for call in (model.encode, model.score):
        with pytest.warns(
            UserWarning,
            match="has not been trained: until fit has seen the data, its values .x. are",
        ):
            call(rows)
    adapted(model, rows).score(rows)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name,options",
    [("DDPM", dict(prediction="v")), ("EDM", dict(deviation=1.0)), ("FlowMatching", {})],
)
def test_paths_of_standardized_numbers_end_in_the_units_of_the_data(name, options):
    cls = getattr(keras_gen, name)
    inside = cls.for_vectors(2, width=4, blocks=1, standardize=False)
    assert all(getattr(inside, option) == value for option, value in options.items())
    rows = np.array([[4.0, 8.0], [-4.0, -8.0]] * 3, "float32")
    model = adapted(cls(inside.network, data="vectors", standardize=True, **options), rows)
    nats = -inside.log_prob(rows / [4, 8]) + np.log(4 * 8)
    np.testing.assert_allclose(-model.log_prob(rows), nats, rtol=1e-5)
    drawn = inside.sample(3, seed=1, steps=2)
    np.testing.assert_allclose(model.sample(3, seed=1, steps=2), drawn * [4, 8], rtol=1e-5)


# Training ----------------------------------------------------------------------------------------


class Batches(keras.utils.PyDataset):
    """Batches of arrays."""

    def __init__(self, rows):
        super().__init__()
        self.rows = rows

    def __len__(self):
        return 5

    def __getitem__(self, number):
        return self.rows[100 * number : 100 * number + 100]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "form",
    [
        lambda rows: dict(x=rows),
        lambda rows: dict(x=tf.constant(rows)),
        lambda rows: dict(x=tf.data.Dataset.from_tensor_slices(rows).batch(64)),
        lambda rows: dict(
            x=tf.data.Dataset.from_tensor_slices(rows).repeat().batch(100), steps_per_epoch=5
        ),
        lambda rows: dict(x=Batches(rows)),
        lambda rows: dict(x=iter([(part,) for part in np.split(rows, 5)]), steps_per_epoch=5),
        lambda rows: dict(x=np.concatenate([rows, rows + 9]), validation_split=0.5),
    ],
)
def test_the_first_training_learns_the_units_of_what_it_is_given(rows, form):
    model = keras_gen.Autoencoder.for_vectors(3, **SMALL)
    model.compile(run_eagerly=True)
    trained = []

    def terms(batch):
        if model.training:
            trained.append(batch["x"])
        return type(model).terms(model, batch)

    model.terms = terms
    model.fit(**form(rows), verbose=0)
    edge = model.edges["x"]
    for data in (rows, rows + 1e6):  # the second time they are known already
        np.testing.assert_allclose(edge.mean.numpy(), rows.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(edge.deviation.numpy(), rows.std(axis=0), rtol=1e-5)
        model.fit(data[:2], verbose=0)
    # A generator too gives all of its examples to the training.
    assert sum(map(len, trained)) == len(rows) + 4


@pytest.mark.thorough
def test_samples_have_the_mean_and_deviation_of_the_data(rows, tmp_path):
    model = keras_gen.VAE.for_vectors(3, latent_dim=1, hidden=(16,))
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(rows, batch_size=100, epochs=20, verbose=0)
    samples = model.sample(2000, seed=1, batch_size=2000)
    assert samples.dtype == "float32"
    np.testing.assert_allclose(samples.mean(axis=0), MEAN, atol=0.2 * DEVIATION.max(), rtol=0)
    assert (np.abs(samples.mean(axis=0) - MEAN) < 0.2 * DEVIATION).all()
    np.testing.assert_allclose(samples.std(axis=0), DEVIATION, rtol=0.2)
    # Its file and its export know the units.
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.log_prob(rows[:5]), model.log_prob(rows[:5]))
    # In float32, as clients give them: what is rounded otherwise is scored with other noise.
    rows = rows.astype("float32")
    served = tf.saved_model.load(str(export(model, tmp_path, "vae"))).signatures
    found = served["log_prob"](vectors=tf.constant(rows[:5], tf.float32))["log_probs"]
    np.testing.assert_allclose(found, model.log_prob(rows[:5]), rtol=1e-5)
    found = served["sample"](seed=tf.constant(1), n=tf.constant(4))["vectors"]
    np.testing.assert_allclose(found, model.sample(4, seed=1), rtol=1e-5)


GANS = {
    "ACGAN": dict(classes=2),
    "ConditionalGAN": dict(classes=2),
    "InfoGAN": dict(categories=(3,), continuous=1),
    "PacGAN": {},
}


@pytest.mark.thorough
@pytest.mark.parametrize("name", GANS)
def test_gans_take_series_in_any_units(rng, name):
    series = rng.normal([3.0, 4000.0], [1.0, 20.0], (8, 5, 2))
    model = getattr(keras_gen, name).for_vectors((5, 2), **SMALL, **GANS[name])
    adapted(model, series)
    model.compile(run_eagerly=True)
    losses_of(model, *(series, np.arange(8) % 2)[: len(model.batch)], training=True)
    conditions = {} if name == "PacGAN" else dict(label=1)
    drawn = model.sample(3, seed=1, **conditions)
    assert drawn.shape == (3, 5, 2)
    assert np.abs(drawn[..., 1] - 4000).max() < 500  # of an untrained generator


def test_what_does_not_standardize(rng):
    with pytest.raises(ValueError, match=r"standardize is True, but the type of data is Images"):
        keras_gen.VAE.for_images((8, 8, 1), filters=(2,), standardize=True)
    with pytest.raises(ValueError, match="standardize is True, but PriorSampledModel does not"):
        decoder = mlp_decoder((6,), 2, hidden=(4,))
        keras_gen.PriorSampledModel(decoder, "unbounded_normal", standardize=True).compile()
    with pytest.raises(ValueError, match="which requires bounded data"):
        keras_gen.DenoisingAutoencoder.for_vectors(3, corruption="salt_and_pepper")
    with pytest.raises(TypeError, match=r"shape is .*: expected an integer"):
        keras_gen.VAE.for_vectors(2.5)


def test_models_of_vectors_that_do_not_standardize_are_as_before():
    encoder = mlp_encoder((3,), 2, hidden=(4,), heads=("mean", "log_variance"))
    model = keras_gen.VAE(encoder, mlp_decoder((6,), 2, hidden=(4,)), "unbounded_normal")
    assert type(model.edges["x"]) is Vectors
    assert "standardize" not in model.get_config()


def test_latents_that_the_networks_say_too():
    networks = mlp_encoder((3,), 2, (4,), heads=("mean", "log_variance")), mlp_decoder((3,), 2)
    model = keras_gen.VAE(*networks, latent_dim=2)
    assert keras_gen.VAE.from_config(model.get_config()).latent_dim == 2
    with pytest.raises(
        ValueError, match=r"latent_dim is 8, .* accepts latents of shape \(2,\): expected"
    ):
        keras_gen.VAE(*networks, latent_dim=8)
    pair = mlp_decoder((3,), 2), mlp_encoder((3,), 1)
    assert keras_gen.GAN(*pair, data="vectors", latent_dim=2).latent_dim == 2
    with pytest.raises(ValueError, match=r"latent_dim is 8, .* accepts latents of shape \(2,\)"):
        keras_gen.GAN(*pair, data="vectors", latent_dim=8)


# Columns of few values ---------------------------------------------------------------------------

TINY_DENSITIES = {
    "Flow": lambda: keras_gen.Flow.for_vectors(3, steps=2, hidden=(4,)),
    "unstandardized Flow": lambda: keras_gen.Flow.for_vectors(
        3, steps=2, hidden=(4,), standardize=False
    ),
    "MADE": lambda: keras_gen.MADE(made(3, outputs_per_value=6, hidden=(8,)), NormalMixture(2)),
    "DDPM": lambda: keras_gen.DDPM.for_vectors(3, width=4, blocks=1),
    "VAE": lambda: keras_gen.VAE.for_vectors(3, **SMALL),
    "Autoencoder": lambda: keras_gen.Autoencoder.for_vectors(3, **SMALL),
}
FEW_VALUES = {
    "0/1": lambda rng: rng.random(300) < 0.3,
    "constant": lambda rng: np.full(300, 3.0),
    "counts": lambda rng: rng.poisson(2.0, 300),
}
BATCHED = {
    "array": lambda rows: rows,
    "DataFrame": lambda rows: pandas.DataFrame(rows, columns=["a", "b", "2"]),
    "dataset": lambda rows: tf.data.Dataset.from_tensor_slices(rows).batch(100),
    "generator": lambda rows: ((part,) for part in np.split(rows, 3)),
}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "column", "form"),
    [
        *[(name, "0/1", "array") for name in TINY_DENSITIES],
        *[("Flow", column, "array") for column in FEW_VALUES],
        *[("Flow", "0/1", form) for form in BATCHED],
    ],
)
def test_densities_warn_once_of_columns_that_repeat_values(rng, name, column, form):
    model = TINY_DENSITIES[name]()
    model.compile(run_eagerly=True)
    rows = rng.normal(size=(300, 3))
    rows[:, 2] = FEW_VALUES[column](rng)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        for _ in range(2):
            model.fit(BATCHED[form](rows), batch_size=100, verbose=0)
    ours = [one for one in found if "where values repeat" in str(one.message)]
    assert len(ours) == (0 if name in ("VAE", "Autoencoder") else 1)
    for warning in ours:
        assert "in column 2): use MADE.for_table or Flow.for_table (which" in str(warning.message)
        assert warning.filename == __file__


def test_a_column_scale_is_one_number_of_the_model(rows):
    model = adapted(keras_gen.VAE.for_vectors(3, **SMALL), rows)
    assert model.likelihood == ColumnNormal()
    scales = model.decoder.get_layer("scales").raw_scales
    scales.assign([-1.0, 0.0, 1.0])
    raw = model.decoder(np.zeros([4, 2]))[:, 3:]
    np.testing.assert_array_equal(raw, np.tile([-1.0, 0.0, 1.0], [4, 1]))
    with pytest.raises(ValueError, match=r"scale is 0\.5: expected None"):
        ColumnNormal(scale=0.5)
    older = keras_gen.VAE.for_vectors(3, **SMALL, likelihood="unbounded_normal")
    assert older.decoder.count_params() == model.decoder.count_params() + 3 * (4 + 1) - 3


def test_m2_of_rows_starts_with_weights_that_use_the_latents():
    """The paper's weights are for images: of rows it would learn the scale of each column alone."""
    sizes = dict(latent_dim=50, hidden=(500,), classes=2)
    for model, deviation in (
        (keras_gen.M2.for_vectors(3, **sizes), math.sqrt(2 / (50 + 2 + 500))),
        (keras_gen.M2.for_vectors(3, **sizes, deviation=0.01), 0.01),
        (keras_gen.M2.for_images((28, 28, 1), **sizes), 0.001),
    ):
        kernel = model.decoder.trainable_variables[0]
        assert kernel.shape == (52, 500)
        np.testing.assert_allclose(kernel.numpy().std(), deviation, rtol=0.05)


ROWS = 2000


def mixed_rows(seed):
    """Two normal columns, a 0/1 column that goes with them, and constant, t, and Poisson ones."""
    rng = np.random.default_rng(seed)
    first, other, noise = rng.normal(size=(3, ROWS))
    columns = dict(
        first=10 + 5 * first,
        second=0.8 * first + 0.6 * other,
        binary=first + 0.5 * noise > 0.585,  # a share of 0.3
        constant=np.full(ROWS, 3.0),
        heavy=rng.standard_t(2.5, ROWS),
        count=rng.poisson(2.0, ROWS),
    )
    return pandas.DataFrame(columns, dtype="float32")


OF_A_PATH = dict(width=64, blocks=3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*log_prob has no upper bound where values repeat")
@pytest.mark.parametrize(
    # The most that quartiles of the heavy-tailed column err: noise of a VAE is Normal.
    ("name", "options", "of_quartiles", "seed"),
    [
        *[("VAE", dict(latent_dim=4), 0.6, seed) for seed in range(3)],
        *[("ConditionalVAE", dict(latent_dim=3, conditions=1), 0.6, seed) for seed in range(3)],
        ("IWAE", dict(latent_dim=4, samples=4), 0.6, 0),
        ("DIPVAE", dict(latent_dim=4), 0.7, 0),
        ("BetaTCVAE", dict(latent_dim=4, dataset_size=ROWS), 0.6, 0),
        ("VQVAE", dict(latent_dim=8, codebook_size=64), None, 0),
        ("Autoencoder", dict(latent_dim=4), None, 0),
        ("M2", dict(latent_dim=4, hidden=(64, 64), classes=2), 0.7, 0),
        ("DDPM", OF_A_PATH, 0.3, 0),
        ("EDM", OF_A_PATH, 0.3, 0),
        ("FlowMatching", OF_A_PATH, 0.3, 0),
    ],
)
def test_columns_of_any_distribution_are_learned(name, options, of_quartiles, seed):
    keras.utils.set_random_seed(seed)
    table = mixed_rows(seed)
    of_encoder = {}
    of_sample = {}
    if "conditions" in options:
        of_sample = dict(condition=table.pop("first").to_numpy()[:, None])
        of_encoder = dict(conditions=of_sample["condition"])
    rows = table.to_numpy()
    labels = []
    if name == "M2":  # a fifth of the rows has a label
        labels = [np.where(np.arange(ROWS) % 5, -1, table["heavy"] > 0)]
    model = getattr(keras_gen, name).for_vectors(rows.shape[1], **options, seed=seed)
    rate = keras.optimizers.schedules.PolynomialDecay(3e-3, 1200, 3e-4)
    model.compile(keras.optimizers.Adam(rate), steps_per_execution=20)
    model.fit(rows, *of_encoder.values(), *labels, batch_size=100, epochs=60, verbose=0)
    binary = table["binary"]
    if hasattr(model, "reconstruct"):
        found = model.reconstruct(rows, **of_encoder)[:, table.columns.get_loc("binary")]
        means = [found[binary == value].mean() for value in (0, 1)]
        np.testing.assert_allclose(means, [0, 1], atol=0.1)
    if of_quartiles is None:
        return
    drawn = model.sample(ROWS, seed=1, batch_size=ROWS, **of_sample)
    drawn = pandas.DataFrame(drawn, columns=table.columns)
    assert abs((drawn["binary"] > 0.5).mean() - binary.mean()) < 0.06
    assert drawn["constant"].std() == 0
    errors = (drawn.mean() - table.mean()) / np.maximum(table.std(), 0.5)
    assert errors.abs().max() < 0.2
    quarters = [0.25, 0.5, 0.75]
    errors = drawn["heavy"].quantile(quarters) - table["heavy"].quantile(quarters)
    assert errors.abs().max() < of_quartiles
    table, drawn = (each.drop(columns=["constant", "heavy"]) for each in (table, drawn))
    assert (drawn.std() / table.std() - 1).abs().max() < 0.2
    np.testing.assert_allclose(drawn.corr(), table.corr(), atol=0.2)
