import keras
import numpy as np
import pytest
from PIL import Image

from keras_gen.metrics import inception_v3, keras_extractor, resize_images, trained_extractor
from keras_gen.metrics.evaluation_networks import extractors
from keras_gen.metrics.evaluation_networks.labelers import build_classifier


@pytest.fixture
def mean_color():
    """Features are the mean of each channel, of images of any size."""
    x = keras.Input((None, None, 3))
    return keras.Model(x, keras.layers.GlobalAveragePooling2D()(x), name="mean_color")


def labeled(n=60, channels=1):
    """Three classes of brightness."""
    labels = np.arange(n) % 3
    noise = np.random.default_rng(1).integers(0, 40, (n, 8, 8, channels))
    return (noise + 80 * labels[:, None, None, None]).astype("uint8"), labels


# Resizing ---------------------------------------------------------------------------------------


def test_shrinking_does_not_alias():
    # Black and white pixels: every third of a row alone is black or white, and not gray.
    board = np.indices((33, 33)).sum(axis=0) % 2 * 255
    images = np.tile(board[None, :, :, None], [2, 1, 1, 3]).astype("uint8")
    small = resize_images(images, (11, 11), batch_size=1)
    assert small.dtype == np.uint8 and small.shape == (2, 11, 11, 3)
    assert set(np.unique(images[:, 1::3, 1::3])) == {0, 255}
    assert np.abs(small[:, 2:-2, 2:-2].astype(int) - 127.5).max() < 2


@pytest.mark.parametrize("size", [(7, 11), (16, 20), (40, 33)])
def test_equals_pillows_floats(rng, size):
    image = rng.integers(0, 256, (1, 16, 20, 3), "uint8")
    channels = [Image.fromarray(image[0, ..., c].astype("float32")) for c in range(3)]
    resized = [c.resize(size[::-1], Image.Resampling.BICUBIC) for c in channels]
    wanted = np.rint(np.clip(np.stack(resized, axis=-1), 0, 255))
    assert np.abs(resize_images(image, size)[0] - wanted).max() <= 1  # where rounding falls
    assert np.mean(resize_images(image, size)[0] != wanted) < 0.01


def test_flat_images_stay_and_edges_do_not_wrap():
    for level in (0, 255, 77):
        assert (resize_images(np.full([1, 9, 9, 1], level, "uint8"), (5, 13)) == level).all()
    # Bicubic overshoots at an edge, which must not turn white into black.
    edge = np.zeros([1, 8, 8, 1], "uint8")
    edge[:, :, 4:] = 255
    columns = resize_images(edge, (16, 16))[0, 0, :, 0].astype(int)
    assert (np.diff(columns) >= -20).all() and columns[0] == 0 and columns[-1] == 255
    assert resize_images(edge, (8, 8)) is edge


# Any Keras model --------------------------------------------------------------------------------


def test_any_model(rng, mean_color):
    images = rng.integers(0, 256, (5, 6, 6, 3), "uint8")
    extractor = keras_extractor(mean_color, preprocess=lambda x: x / 255, size=(12, 12))
    outputs = extractor(images, batch_size=2)
    assert set(outputs) == {"features"} and outputs["features"].dtype == np.float32
    wanted = resize_images(images, (12, 12)).mean(axis=(1, 2)) / 255
    np.testing.assert_allclose(outputs["features"], wanted, rtol=1e-5)
    # Gray is repeated for a model of colors.
    gray = extractor(images[..., :1])["features"]
    np.testing.assert_array_equal(gray, np.repeat(gray[:, :1], 3, axis=1))


def test_outputs_are_flattened_and_the_size_is_the_models():
    x = keras.Input((4, 6, 1))
    outputs = {"features": keras.layers.MaxPooling2D(2)(x), "other": x}
    outputs["logits"] = keras.layers.GlobalMaxPooling2D()(x)
    extractor = keras_extractor(keras.Model(x, outputs), name="pool")
    assert extractor.size == (4, 6)
    found = extractor(np.full([3, 9, 9, 1], 7, "uint8"))
    assert found["features"].shape == (3, 6) and found["logits"].shape == (3, 1)
    assert set(found) == {"features", "logits"}


def test_sequential_models_that_are_built(rng):
    images = rng.integers(0, 256, (3, 4, 4, 3), "uint8")
    layers = [keras.layers.Rescaling(0.5), keras.layers.GlobalMaxPooling2D()]
    for network in (keras.Sequential([keras.Input((4, 4, 3)), *layers]), keras.Sequential(layers)):
        network.build((None, 4, 4, 3))
        features = keras_extractor(network)(images)["features"]
        np.testing.assert_array_equal(features, images.max(axis=(1, 2)) / 2)


def test_the_name_holds_a_hash_of_the_weights():
    def network(kernel):
        x = keras.Input((4, 4, 1))
        dense = keras.layers.Dense(2, kernel_initializer=kernel)
        return keras.Model(x, dense(keras.layers.Flatten()(x)), name="net")

    names = [keras_extractor(network(kernel)).name for kernel in ("ones", "ones", "zeros")]
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("net-") and len(names[0]) == len("net-") + 12


def test_inception_is_kerass(monkeypatch):
    def network(classifier_activation):
        assert classifier_activation is None
        x = keras.Input((8, 8, 3))
        features = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
        return keras.Model(x, keras.layers.Dense(4, "relu")(features))

    monkeypatch.setattr(keras.applications, "InceptionV3", network)
    extractor = inception_v3()
    assert extractor.name.startswith("inception_v3-keras_imagenet-")
    found = extractor(np.full([2, 5, 5, 3], 255, "uint8"))
    np.testing.assert_allclose(found["features"], 1)  # white is 1 of -1..1
    assert found["logits"].shape == (2, 4)


# A classifier of the data set at hand -----------------------------------------------------------


@pytest.mark.thorough
def test_trained_once_and_kept(monkeypatch, tmp_path):
    images, labels = labeled()
    images[:, 0, 0, 0] = np.arange(60)  # so that every image is one of its kind
    trained_on = []

    def train(part, part_labels, classes, steps, seed, kind):
        """Stands in for the training, and gives another network each time."""
        assert (part_labels == part[:, 0, 0, 0] % 3).all() and (classes, steps, seed) == (3, 7, 2)
        trained_on.append(part[:, 0, 0, 0])
        return build_classifier((8, 8, 1), classes, len(trained_on), kind)

    monkeypatch.setattr(extractors, "train_classifier", train)
    folder = tmp_path / "new"
    first, second = (trained_extractor(images, labels, 7, seed=2, cache=folder) for _ in range(2))
    assert len(trained_on) == 1 and first.name == second.name
    assert first.name == f"conv_classifier-{extractors.weights_hash(first.model)}"
    for name, value in first(images).items():
        np.testing.assert_array_equal(value, second(images)[name])
    # The accuracy is measured on images that were not used for training.
    held_out = np.setdiff1d(np.arange(60), trained_on[0])
    right = first(images)["logits"].argmax(axis=1) == labels
    assert len(held_out) == 6 and first.accuracy == second.accuracy == right[held_out].mean()
    # The features have a mean square of 1, and the network's own features are unchanged.
    assert np.square(first(images[held_out])["features"]).mean() == pytest.approx(1)
    plain = keras_extractor(first.model)(images)["features"]
    np.testing.assert_allclose(first(images)["features"] * first.scale, plain, rtol=1e-6)
    assert second.scale == first.scale != 1
    # A damaged file is made anew.
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:500])
    repaired = trained_extractor(images, labels, 7, seed=2, cache=folder)
    assert len(trained_on) == 2 and repaired.name != first.name
    assert trained_extractor(images, labels, 7, seed=2, cache=folder).name == repaired.name
    # Other data, as many as they are, have a file of their own.
    trained_extractor(images[::-1], labels[::-1], 7, seed=2, cache=folder)
    assert len(trained_on) == 3 and len(list(folder.iterdir())) == 2
    # So has another kind.
    other = trained_extractor(images, labels, 7, seed=2, cache=folder, kind="max")
    assert other.name.startswith("max_classifier-") and len(list(folder.iterdir())) == 3


def test_both_kinds(monkeypatch):
    monkeypatch.setattr(extractors, "trained_extractor", lambda *args, kind: (*args, kind))
    images, labels = np.zeros([2, 8, 8, 1]), np.arange(2)
    found = extractors.trained_extractors(images, labels, 7, 2)
    assert found == {kind: (images, labels, 7, 2, kind) for kind in ("max", "average")}


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_GEN_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert extractors.cache_folder() == tmp_path / "keras_gen"
    monkeypatch.setenv("KERAS_GEN_CACHE", str(tmp_path / "mine"))
    assert extractors.cache_folder() == tmp_path / "mine"
