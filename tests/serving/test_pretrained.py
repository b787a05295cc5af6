"""Trained models that train on."""

import io
import json
import os
import shutil
import sys
import types
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gen
from all_tiny import TINY
from keras_gen.core import averaged_weights
from keras_gen.flows import ConditionalFlow
from keras_gen.serving import exported, index, model_files
from keras_gen.serving.export import load_weights
from keras_gen.vae import VAE
from processes import ROOT
from tiny import difference, state, step


@pytest.fixture(scope="module")
def vae():
    """A model after a step, whose averages are other values than its weights."""
    model = TINY["VAE"].compiled()
    step(model), step(model)
    return model


@pytest.fixture(scope="module")
def home(vae, tmp_path_factory):
    """A folder with an export of averaged weights, a file, and a run that has both."""
    home = tmp_path_factory.mktemp("home")
    with averaged_weights(vae):
        vae.export(home / "saved_models" / "digits", default="sample")
    vae.save(home / "vae.keras")
    shutil.copytree(home / "saved_models" / "digits", home / "run" / "export" / "digits")
    (home / "run" / "config.json").touch()
    return home


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)


@pytest.mark.parametrize(
    "source", ["digits", "saved_models/digits", "saved_models/digits/1", "vae.keras", "run"]
)
def test_has_the_averaged_weights(vae, source):
    loaded = keras_gen.load(source)
    assert type(loaded) is VAE and loaded.compiled and loaded.step.numpy() == 2
    with averaged_weights(vae):
        np.testing.assert_array_equal(loaded.sample(3, seed=1), vae.sample(3, seed=1))
    assert not np.array_equal(loaded.sample(3, seed=1), vae.sample(3, seed=1))


def test_weights_of_an_export_come_with_what_only_training_reads(tmp_path):
    """Without it a flow would take the statistics of its first batch anew."""
    model, other = TINY["Flow"].compiled(), TINY["Flow"].compiled(seed=4)
    step(model)
    load_weights(other, model.export(tmp_path))
    other.step.assign(model.step)
    other.seed = model.seed
    step(model), step(other)
    for network, its in zip(model.networks.values(), other.networks.values(), strict=True):
        for x, y in zip(network.weights, its.weights, strict=True):
            if not x.trainable:  # The optimizer of the other begins anew.
                np.testing.assert_array_equal(x.numpy(), y.numpy())


def test_trains_on_and_exports_again(tmp_path):
    model = keras_gen.load("digits")
    assert type(model.optimizer) is keras.optimizers.Adam and model.steps_per_execution == 1
    images = np.zeros((4, 4, 4, 1), "uint8")
    before = state(model)
    model.fit(images, batch_size=2, verbose=0)
    assert model.step.numpy() == 4 and difference(model, before, state(model))
    path = model.export(tmp_path / "mine", half=True)
    assert path == tmp_path / "mine" / "1"
    for one, other in zip(keras_gen.load(path).weights, model.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-7)


def test_best_file_of_a_run_comes_first(vae, home, tmp_path):
    shutil.copytree(home / "run", tmp_path / "run")
    other = TINY["VAE"].compiled()
    other.save(tmp_path / "run" / "best.keras")
    assert keras_gen.load(tmp_path / "run").step.numpy() == 0
    shutil.rmtree(tmp_path / "run" / "export")
    (tmp_path / "run" / "best.keras").unlink()
    with pytest.raises(FileNotFoundError, match=r"run has neither best\.keras nor an export"):
        keras_gen.load(tmp_path / "run")


def test_weights_that_no_signature_reads(tmp_path):
    """Of a network that signatures read they are there too, else a warning names the network."""
    gan = TINY["GAN"].compiled()
    path = gan.export(tmp_path / "gan")
    with pytest.warns(
        UserWarning, match=r"does not contain the weights of discriminator, which no"
    ):
        copy = keras_gen.load(path)
    np.testing.assert_array_equal(copy.sample(3, seed=1), gan.sample(3, seed=1))

    coder = TINY["VQVAE"].compiled()
    step(coder)
    copy = keras_gen.load(coder.export(tmp_path / "coder", signatures=["reconstruct"]))
    for one, other in zip(copy.weights, coder.weights, strict=True):
        np.testing.assert_array_equal(one, other)


class Hub:
    """Takes the place of the Hugging Face Hub's client: one folder for each model."""

    def __init__(self, folder):
        self.folder = folder

    def HfApi(self, **_):  # noqa: N802
        return self

    def create_repo(self, name, exist_ok):
        return types.SimpleNamespace(repo_id=name)

    def upload_folder(self, repo_id, folder_path, commit_message):
        shutil.copytree(folder_path, self.folder / repo_id)

    def snapshot_download(self, repo_id, **_):
        return str(self.folder / repo_id)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The folder of the hub's stand-in."""
    hub = Hub(tmp_path)
    monkeypatch.setattr("keras.src.saving.saving_lib.huggingface_hub", hub)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    return tmp_path


def test_the_hugging_face_hub(vae, hub):
    vae.save("hf://me/digits")
    loaded = VAE.from_pretrained("hf://me/digits")
    assert loaded.compiled and loaded.step.numpy() == 2


def test_an_export_on_the_hub_is_the_one_of_its_entry(hub, home):
    folder = shutil.copytree(home / "saved_models" / "digits", hub / "me" / "digits")
    assert keras_gen.load("hf://me/digits").step.numpy() == 2
    entry = {"version": 1, "sha256": index.sha256(folder / "1")}
    (folder / index.INDEX).write_text(json.dumps({"digits": entry}))
    assert keras_gen.load("hf://me/digits").step.numpy() == 2
    with (folder / "1" / "saved_model.pb").open("ab") as file:
        file.write(b" ")
    with pytest.raises(
        ValueError, match=r"but index\.json lists [0-9a-f]{64}: the export is incomplete"
    ):
        keras_gen.load("hf://me/digits")
    # Another version is no concern of the entry.
    (folder / index.INDEX).write_text(json.dumps({"digits": entry | {"version": 2}}))
    assert keras_gen.load("hf://me/digits").step.numpy() == 2
    (folder / index.INDEX).write_text("[]")
    with pytest.raises(ValueError, match=r"index\.json is not an index of exports: download it"):
        keras_gen.load("hf://me/digits")


def test_another_class():
    sentence = (
        r"^digits contains a VAE: expected a GAN. Load it with VAE\.from_pretrained or keras_gen"
    )
    with pytest.raises(ValueError, match=sentence):
        keras_gen.GAN.from_pretrained("digits")
    assert type(keras_gen.core.GenerativeModel.from_pretrained("vae.keras")) is VAE


def test_what_is_refused(home, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no model 'digit'.*; did you mean digits\?"):
        keras_gen.load("digit")
    shutil.copytree(home / "saved_models" / "digits" / "1", tmp_path / "old")
    (tmp_path / "old" / model_files.MODEL).unlink()
    with pytest.raises(ValueError, match=r"old has no .*keras_model\.npz.*export\.load_weights\.$"):
        keras_gen.load(tmp_path / "old")
    network = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    network.save(tmp_path / "network.keras")
    with pytest.raises(ValueError, match=r"contains a Sequential: expected a keras_gen model"):
        keras_gen.load(tmp_path / "network.keras")


def changed(member, change):
    """What a file of the model holds when one of its members is changed, or left out."""
    path, content = Path("vae.keras"), io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            value = old.read(name)
            if name == member:
                value = change(value)
            if value is not None:
                new.writestr(name, value)
    return content.getvalue()


def with_value(name, value):
    """A change of the model's configuration."""

    def change(text):
        config = json.loads(text)
        config["config"][name] = value
        return json.dumps(config)

    return change


def of_another_class(text):
    """A change of the model's configuration."""
    changes = {"class_name": "Popen", "module": "subprocess", "registered_name": None}
    return json.dumps(json.loads(text) | changes)


def without_a_layer(content):
    """A change of the model's weights."""
    file = io.BytesIO(content)
    with h5py.File(file, "r+") as weights:
        del weights["encoder/layers/dense/vars/0"]
        del weights["encoder/layers/dense/vars/1"]
    return file.getvalue()


WHOLE = r"is not a complete \.keras file: expected the zip archive written by model\.save\. Copy"
BROKEN = {
    "empty": (lambda: b"", WHOLE),
    "cut": (lambda: Path("vae.keras").read_bytes()[:2000], WHOLE),
    "foreign": (lambda: b"hello", WHOLE),
    "another zip": (
        lambda: changed("config.json", lambda text: None),
        r"cannot be loaded: .*There is no item named 'config\.json'.*\. Save the model again",
    ),
    "a wrong value": (
        lambda: changed("config.json", with_value("seed", "a")),
        r"cannot be loaded: seed is 'a': expected an integer.*\. Save the model again, or use",
    ),
    "an unknown argument": (
        lambda: changed("config.json", with_value("zigzag", 3)),
        r"cannot be loaded: .*\{'zigzag': 3\}\. Save the model again",
    ),
    "a wrong network": (
        lambda: changed("config.json", with_value("encoder", 3)),
        r"cannot be loaded: .*3.*\. Save the model again",
    ),
    "another class": (
        lambda: changed("config.json", lambda text: text.replace(b"VAE", b"VAEE")),
        r"cannot be loaded: Could not locate class 'VAEE'\. Import the module that registers",
    ),
    "another class with parts that are known": (
        lambda: changed("config.json", of_another_class),
        r"cannot be loaded: Could not locate class 'Popen'.* custom_objects={'Popen': Popen}\.$",
    ),
    "weights that do not fit": (
        lambda: changed("model.weights.h5", without_a_layer),
        r"cannot be loaded: Layer '\w+' expected 2 variables, but received 0 variables",
    ),
    "cut weights": (
        lambda: changed("model.weights.h5", lambda value: value[:500]),
        r"cannot be loaded: .*truncated file.*\. Save the model again",
    ),
}


@pytest.mark.filterwarnings("ignore:Skipping")
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_in_one_sentence(tmp_path, case):
    content, sentence = BROKEN[case]
    (tmp_path / "model.keras").write_bytes(content())
    with pytest.raises(ValueError, match=rf"^\S+model\.keras {sentence}") as caught:
        keras_gen.load(tmp_path / "model.keras")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def cut(path):
    (data,) = (path / "variables").glob("variables.data-*")
    data.write_bytes(data.read_bytes()[:1000])


def described(**changes):
    """Changes the description of an export's model."""

    def change(path):
        with np.load(path / model_files.MODEL) as file:
            values = dict(file)
        changed = {name: np.asarray(new(values[name])) for name, new in changes.items()}
        np.savez(path / model_files.MODEL, **values | changed)

    return change


DAMAGED = {
    "cut variables": (cut, r".*"),
    "no index": (lambda path: (path / "variables" / "variables.index").unlink(), r".*"),
    "a text as step": (described(step=lambda _: "a"), r"step is 'a': expected an integer"),
    "three steps": (described(step=lambda _: [1, 2, 3]), r"step is \[1, 2, 3\]: expected an int"),
    "a step below 0": (described(step=lambda _: -5), r"step is -5: expected an integer"),
    "another order": (described(kept=lambda v: v[::-1]), r"weight \d+ has shape .*: expected \("),
    "a large place": (
        described(kept=lambda v: v + 999),
        r"it contains a weight with the index \d+: expected 0 to",
    ),
    "a place below -1": (
        described(kept=lambda v: -2 - v),
        r"it contains a weight with the index -\d+: expected 0 to",
    ),
    "a place too many": (described(kept=lambda v: [*v, 1]), r".*"),
    "no weight": (described(beside=lambda v: [*v, 3]), r".*weight_3"),
    "a list": (described(configuration=lambda _: "[1]"), r"its configuration is \[1\]: expected"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_export_is_refused_in_one_sentence(home, tmp_path, case):
    change, sentence = DAMAGED[case]
    shutil.copytree(home / "saved_models" / "digits" / "1", tmp_path / "old")
    change(tmp_path / "old")
    with pytest.raises(ValueError, match=rf"^\S+ cannot be loaded: {sentence}") as caught:
        keras_gen.load(tmp_path / "old")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


@pytest.mark.parametrize("name", [5000 * "x", "hf://", "hf://../../x/y"])
def test_names_of_nothing_are_refused_in_one_sentence(name):
    with pytest.raises((FileNotFoundError, ValueError), match=r": expected .*\.$") as caught:
        keras_gen.load(name)
    assert len(str(caught.value)) < 300


def test_weights_that_are_not_finite_are_refused(tmp_path):
    model = VAE.for_images((8, 8, 1), filters=(2,))
    model.compile()
    weight = model.encoder.trainable_variables[0]
    weight.assign(np.full(weight.shape, np.nan))
    model.save(tmp_path / "bad.keras")
    for use in (lambda: keras_gen.load(tmp_path / "bad.keras"), lambda: model.export(tmp_path)):
        with pytest.raises(keras_gen.core.NonFiniteLossError, match=r"^The weight .* is not fin"):
            use()


@pytest.mark.parametrize("weight", ["deviation", "class_counts"])
def test_negative_deviations_and_counts_are_refused(tmp_path, weight):
    model = ConditionalFlow.for_vectors(2, classes=2, steps=1, hidden=(2,))
    model.compile()
    model.fit(np.eye(2), np.arange(2), batch_size=2, verbose=0)
    own = next(each for each in model.weights if each.name == weight)
    own.assign([-1, 1])
    model.save(tmp_path / "bad.keras")
    for use in (lambda: keras_gen.load(tmp_path / "bad.keras"), lambda: model.export(tmp_path)):
        with pytest.raises(ValueError, match=rf"{weight} .* has the minimum -1: expected at least"):
            use()


@pytest.mark.parametrize("source", ["pipe.keras", "pipe", "zero.keras"])
def test_what_may_never_end_is_refused(home, source):
    os.mkfifo(source) if "pipe" in source else os.symlink("/dev/zero", source)
    with pytest.raises(OSError, match=rf"^{source} is a pipe, a socket, or a device"):
        keras_gen.load(source)
    with pytest.raises(OSError, match=rf"^{source} is a pipe, a socket, or a device"):
        exported.find(home, source)


def test_a_file_is_not_the_folder_of_an_export(home):
    with pytest.raises(NotADirectoryError, match=r"^vae\.keras is a file: expected the folder of"):
        exported.find(home, "vae.keras")


def test_published_exports_can_be_loaded():
    for path in (ROOT / "saved_models").glob("*/*/"):
        with np.load(path / model_files.MODEL) as described:
            config = json.loads(str(described["configuration"]))
            held = len(described["kept"])
        assert hasattr(keras_gen, config["class_name"]), path
        stored = tf.train.list_variables(str(path / model_files.VARIABLES))
        assert held == sum(name.startswith("kept/") for name, _ in stored), path


def test_a_published_export_is_the_same_model():
    path = ROOT / "saved_models" / "conditional_gan_mnist"
    with pytest.warns(UserWarning, match="the weights of discriminator"):
        model = keras_gen.load(path)
    served = exported.load(path)("sample", seed=3, n=4, label=7)["images"]
    np.testing.assert_array_equal(model.sample(4, seed=3, label=7), served)


def test_terms_of_the_first_data_stay_with_what_was_trained_on(home, vae, tmp_path):
    vae.export(tmp_path / "first", metadata={"data": "celeb_a/2.1.0"})
    model = keras_gen.load(tmp_path / "first")
    model.save(tmp_path / "model.keras")
    for name, each in {"a": model, "b": keras_gen.load(tmp_path / "model.keras")}.items():
        each.export(tmp_path / name, metadata={"data": "my photos"}, signatures=["sample"])
        metadata = exported.read_metadata(exported.resolve(tmp_path / name))
        assert metadata["started_from"] == "celeb_a/2.1.0"
        assert metadata["terms"]["CelebA"]["commercial_use"] is False


def test_a_codebook_trains_on_from_where_it_is():
    """Its codes are what it has averaged: else a first batch would throw them away."""
    names = [path.name for path in (ROOT / "saved_models").iterdir() if "vq_vae" in path.name]
    assert len(names) == 3
    for name in names:
        model = keras_gen.load(ROOT / "saved_models" / name)
        quantizer = getattr(model, "coder", model).quantizer
        counts = quantizer.counts.numpy()[:, None]
        averages = quantizer.sums.numpy() / counts
        np.testing.assert_allclose(averages, quantizer.codebook, rtol=1e-3, atol=1e-4)


class Unregistered(keras.layers.Dense):
    """A layer of a user that Keras cannot find by its name."""


@pytest.mark.thorough
def test_own_layers_are_passed_by_name(tmp_path):
    images = keras.Input((4, 4, 1))
    codes = Unregistered(2)(keras.layers.Flatten()(images))
    latents = keras.Input((2,))
    decoder = keras.Model(latents, keras.layers.Reshape((4, 4, 1))(keras.layers.Dense(16)(latents)))
    model = keras_gen.Autoencoder(keras.Model(images, codes), decoder)
    model.compile()
    model.save(tmp_path / "own.keras")
    path = model.export(tmp_path / "own")
    x = np.ones((2, 4, 4, 1), "float32")
    for source in (tmp_path / "own.keras", path):
        with pytest.raises(ValueError, match=r"custom_objects=..Unregistered': Unreg") as caught:
            keras_gen.load(source)
        assert len(str(caught.value).removeprefix(str(source))) < 300
        loaded = keras_gen.load(source, custom_objects={"Unregistered": Unregistered})
        np.testing.assert_allclose(loaded.encode(x), model.encode(x), rtol=1e-6)
        again = keras_gen.Autoencoder.from_pretrained(source, {"Unregistered": Unregistered})
        assert isinstance(again, keras_gen.Autoencoder)
    for wrong in (Unregistered, [Unregistered], {"Unregistered": 3}, {3: Unregistered}, "x"):
        with pytest.raises(
            TypeError, match=r"^custom_objects is .*: expected a dict that maps names"
        ):
            keras_gen.load(path, custom_objects=wrong)
