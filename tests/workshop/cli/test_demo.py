"""The command demo: panels by signatures, and the page in a browser."""

import contextlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from all_tiny import TINY
from browser import browse, chromium
from commands import fails, run_without
from keras_gen.diffusion import ConditionalDDPM
from keras_gen.diffusion.solvers import SOLVERS
from keras_gen.files.images import grid, write_png
from keras_gen.serving import exported
from keras_gen.serving.export import export
from keras_gen.workshop.cli import models, panels
from keras_gen.workshop.cli.demo import _address, _folders, _is_loopback, _listening
from processes import python
from toy_exports import PHOTO, Toy, inverter, listener

INSTALL = 'pip install "keras-generative[demo]", or in a checkout with pip install -e ".[demo]"'
SAVED_MODELS = Path(__file__).parents[3] / "saved_models"
COMMITTED = {
    "context_encoder_cifar10": ["Inpaint", "Complete"],
    "cyclegan_monet": ["Photo to monet", "Monet to photo"],
    "domain_adaptation_digits": ["Classify"],
    "vae_mnist": ["Reconstruct", "Sample", "Latents"],
    "wavenet_spoken_digit": ["Listen"],
}


def decoder() -> Toy:
    """Draws the fourth of twelve latents as a shade of gray, which the last two hardly change."""

    def decode(latents):
        shades = 128 + 40 * latents[:, 3] + tf.reduce_sum(latents[:, 10:], 1)
        shades = tf.cast(tf.clip_by_value(shades, 0, 255), tf.uint8)
        return {"images": tf.tile(shades[:, None, None, None], [1, 4, 4, 1])}

    return Toy(decode=(decode, [tf.TensorSpec([None, 12], tf.float32, "latents")]))


def offered(home, model, name="model"):
    """The panels of a model, by their titles, and its export."""
    export(model, home / "mine", name)
    (offer,), others = panels.offers([home / "mine" / name])
    assert (offer.name, others) == (name, [])
    return {panel.title: panel for panel in offer.panels}, exported.load(offer.path)


def all_samples(found):
    return [(o.name, p) for o in found for p in o.panels if isinstance(p, panels.Samples)]


# Panels ------------------------------------------------------------------------------------------


def test_the_committed_exports():
    found, others = panels.offers([SAVED_MODELS])
    titles = {offer.name: [panel.title for panel in offer.panels] for offer in found}
    assert {name: titles[name] for name in COMMITTED} == COMMITTED
    assert "Complete" in titles["gated_pixel_cnn_mnist"]
    assert SAVED_MODELS / "document_autoencoder_reuters" / "1" in others
    # Whatever number the metadata were written with, the version is that of the folder.
    abouts = {offer.name: offer.about for offer in found}
    assert abouts["cyclegan_monet"].startswith("CycleGAN on monet2photo: ")
    assert "\n\nVersion 2, trained on cycle_gan/monet2photo/3.0.0" in abouts["cyclegan_monet"]
    named = {name: p.names["label"] for name, p in all_samples(found) if "label" in p.conditions}
    assert named["big_gan_fashion_mnist"][9] == "Ankle boot"
    assert named["conditional_gan_mnist"] == tuple("0123456789")
    translators = next(offer.panels for offer in found if offer.name == "cyclegan_monet")
    assert all(panel.any_size for panel in translators)
    encoders = {o.name: p.encoder for o in found for p in o.panels if p.title == "Latents"}
    without = {name for name, encoder in encoders.items() if not encoder}
    generators = {"dcgan_celeb_a", "dcgan_fashion_mnist"}
    assert without == generators | {"progressive_gan_fashion_mnist", "style_gan_fashion_mnist"}


def test_images_to_images(home):
    found, model = offered(home, inverter())
    assert list(found) == ["Invert", "Halve", "Sample"]  # the default first
    for title, expected in (("Invert", 255 - PHOTO), ("Halve", PHOTO // 2)):
        before, after = found[title].run(model, PHOTO)
        np.testing.assert_array_equal(before, PHOTO)
        np.testing.assert_array_equal(after, expected)


def test_sounds_classes_and_completions(home):
    found, model = offered(home, listener())
    assert list(found) == ["Listen", "Classify", "Complete"]

    pause = round(models.PAUSE * models.RATE)
    sound = np.full(5, 2**14, np.int16)
    both = np.r_[sound, np.zeros(pause, np.int16), sound]
    np.testing.assert_array_equal(found["Listen"].run(model, 2, 2, {}), both)

    image = np.full([4, 4, 3], 200, np.uint8)
    image[:2] = 100
    before, odds = found["Classify"].run(model, image)
    np.testing.assert_array_equal(before, image[..., :1])
    assert list(odds) == ["0", "1"] and odds["1"] > 0.99 and sum(odds.values()) == 1

    seen, drawn = found["Complete"].run(model, image, "Lower half", 0, 2)
    assert (seen[:2] == 100).all() and (seen[2:] == 128).all()
    expected = np.stack([seen, seen])
    expected[:, 2:] = np.array([0, 1])[:, None, None, None]  # the seeds
    np.testing.assert_array_equal(drawn, grid(expected))


def test_models_by_name(home):
    (home / "mine" / "a").mkdir(parents=True)
    mine = Path("mine")
    assert _folders(mine, []) == [mine]
    assert _folders(mine, ["a", "mine", "b"]) == [mine / "a", mine, Path("b")]


@pytest.mark.thorough
def test_steps_solvers_and_guidance(home):
    diffusion = ConditionalDDPM.for_images((8, 8, 1), widths=(8,), classes=3)
    path = export(diffusion, home, "model", signatures=["sample"])
    ((offer,), _), model = panels.offers([path]), exported.load(path)
    samples, in_steps = offer.panels
    usual = {"label": -1, "guidance": 0.0, "steps": 50, "solver": "ddim"}
    assert samples.conditions == usual
    assert samples.signature.limits["steps"] == [1, 1000]
    assert samples.signature.options["solver"] == list(SOLVERS)
    conditions = {"label": 2, "guidance": 1.5, "steps": 3, "solver": "euler"}
    expected = model("sample", seed=7, n=3, **conditions)["images"]
    np.testing.assert_array_equal(samples.run(model, 7, 3, conditions), grid(expected))
    # Another panel compares numbers of steps: a row for each noise.
    del conditions["steps"]
    assert in_steps.title == "Steps" and in_steps.conditions.keys() == conditions.keys()
    rows = in_steps.run(model, 7, 2, conditions)
    assert rows.shape == (2 * 10 + 2, len(panels.STEPS) * 10 + 2, 3)
    third = model("sample", seed=7, n=2, steps=panels.STEPS[2], **conditions)["images"]
    np.testing.assert_array_equal(rows[12:20, 22:30], np.repeat(third[1], 3, axis=-1))
    with pytest.raises(ValueError, match="Number of samples is 9: expected an integer from 1 to 8"):
        in_steps.run(model, 7, 9, conditions)
    widgets = pytest.importorskip("keras_gen.workshop.cli.page")
    kinds = [type(widgets._condition(samples, name)).__name__ for name in usual]
    assert kinds == ["Number", "Slider", "Slider", "Dropdown"]


def test_sliders_move_what_changes_most(home):
    found, model = offered(home, decoder())
    assert list(found) == ["Latents"] and found["Latents"].encoder is None
    start = found["Latents"].start(model)
    assert start.moved == [*range(8), 10, 11] and panels.SLIDERS == 10
    assert start.reach == 3 and not start.latents.any()
    with pytest.raises(ValueError, match="Latent 11 is empty: enter a number"):
        start.at([0] * 9 + [None])
    moved = start.at([0, 0, 0, 2, 0, 0, 0, 0, 0, 0])
    assert (found["Latents"].run(model, moved) == 128 + 80).all()
    for value in (3.1, -1e9, float("inf"), float("nan")):
        with pytest.raises(ValueError, match=r"^Latent 1 is .*: expected a number from -3 to 3"):
            start.at([0, value])


@pytest.mark.thorough
def test_sliders_start_at_an_image(home):
    found, model = offered(home, TINY["VAE"].compiled())
    assert found["Latents"].encoder.name == "encode"
    start = found["Latents"].start(model, PHOTO)
    before, after = found["Reconstruct"].run(model, PHOTO)
    np.testing.assert_array_equal(start.latents, model("encode", images=before[None])["mean"][0])
    np.testing.assert_allclose(found["Latents"].run(model, start.latents), after, atol=1)
    assert max(np.abs(start.latents)) <= start.reach


@pytest.mark.parametrize(
    "size, shape, expected",
    [
        ((6, 9), [None, None, None, 3], (6, 9, 3)),
        ((20, 4096), [None, None, None, 3], (5, 1024, 3)),
        ((6, 9), [None, 28, 28, 1], (28, 28, 1)),
        ((6, 9), [None, 4, 8, 3], (4, 8, 3)),
    ],
)
def test_images_are_made_fit(size, shape, expected):
    image = np.full([*size, 3], (10, 200, 30), np.uint8)
    fitted = panels.fitted(image, shape)
    assert fitted.shape == expected and fitted.dtype == np.uint8
    gray = round(0.299 * 10 + 0.587 * 200 + 0.114 * 30)
    assert (fitted == (gray if shape[-1] == 1 else (10, 200, 30))).all()


# Errors ------------------------------------------------------------------------------------------


def test_exports_without_images(home, capsys):
    for text in ("{", "[]", '{"signatures": 1}', '{"signatures": {"a": {}}}', "{}"):
        folder = home / "mine" / "odd" / "1" / "assets.extra"
        folder.mkdir(parents=True, exist_ok=True)
        (folder.parent / "saved_model.pb").touch()
        (folder / "keras_gen.json").write_text(text)
        error = fails(capsys, "demo", "mine")
        assert "no export has a signature that the page can show (exports found: 1; " in error
        assert "the first is mine/odd/1): choose a folder with other exports." in error


def test_without_the_extra(home):
    heavy = "gradio uvicorn tensorflow keras tensorflow_datasets sklearn matplotlib"
    done = run_without("demo", packages=heavy)
    assert done.returncode == 1
    assert done.stderr == f"keras-gen demo: needs gradio and uvicorn: install with {INSTALL}\n"


def test_a_port_that_is_taken():
    with _listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert _is_loopback(taken) and _address(taken) == f"http://127.0.0.1:{port}/"
        sentence = (
            rf"cannot listen on port {port} of 127.0.0.1 \([\w ]+\): choose another --port or"
        )
        with pytest.raises(OSError, match=sentence):
            _listening("127.0.0.1", port)


def test_hosts():
    with pytest.raises(OSError, match=r"of no\.such\.host\.invalid"):
        _listening("no.such.host.invalid", 0)
    with _listening("0.0.0.0", 0) as everywhere:
        assert not _is_loopback(everywhere)
    if socket.has_ipv6:
        with contextlib.suppress(OSError), _listening("::1", 0) as listener:
            assert _is_loopback(listener) and _address(listener).startswith("http://[::1]:")


# The page ----------------------------------------------------------------------------------------

SHOWN = "[...document.images].filter(i => i.checkVisibility() && i.complete)"
FILE = """[...document.querySelectorAll('input[type=file]')].find(
    i => i.parentElement.checkVisibility())"""
REMOVE = """[...document.querySelectorAll('button[aria-label="Remove Image"]')].find(
    b => b.checkVisibility())?.click()"""
SLIDER = "[...document.querySelectorAll('input[type=range]')].filter(i => i.checkVisibility())[3]"
SHADE = f"""(() => {{
    const canvas = document.createElement('canvas'), image = {SHOWN}.at(-1);
    if (!image) return null;
    canvas.width = canvas.height = 1;
    canvas.getContext('2d').drawImage(image, 0, 0, 1, 1);
    return canvas.getContext('2d').getImageData(0, 0, 1, 1).data[0];
}})()"""


@contextlib.contextmanager
def served(folder, host="127.0.0.1"):
    """The address of a page that neither Keras nor what trains models could be imported for."""
    script = (
        "import sys; sys.modules.update(dict.fromkeys(\n"
        "    ['keras', 'tf_keras', 'tensorflow_datasets', 'sklearn', 'matplotlib']))\n"
        "from keras_gen.workshop.cli import main; sys.exit(main())"
    )
    flags = ["demo", str(folder), "--port", "0", "--max-megabytes", "1", "--host", host]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        [sys.executable, "-c", script, *flags], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            first = process.stdout.readline()
            assert re.search(f" exports? at http://{host}:", first)
            yield first.split(" at ")[1].split()[0]
        finally:
            process.terminate()
            process.wait()
    assert process.returncode == 0


NO_UPLOAD = {"detail": "the file was not uploaded to this page: upload it first."}


MULTIPART = "multipart/form-data; boundary=x"
UPLOAD_START = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'


class Client:
    """What any program can send to a page."""

    def __init__(self, address):
        self.address = address
        config = self.send("config")[1]
        components = {component["id"]: component for component in config["components"]}
        self.events = {}  # number of an event by the types of its inputs
        for event in config["dependencies"]:
            kinds = tuple(components[number]["type"] for number in event["inputs"])
            self.events.setdefault(kinds, event["id"])

    def send(self, path, body=None, **headers):
        """The status, and the JSON or the bytes of the answer."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | headers
        request = urllib.request.Request(self.address + path, body, headers)
        try:
            with urllib.request.urlopen(request) as answer:
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        with contextlib.suppress(ValueError):
            content = json.loads(content)
        return status, content

    def upload(self, content):
        body = UPLOAD_START + content + b"\r\n--x--\r\n"
        return self.send("gradio_api/upload", body, **{"Content-Type": MULTIPART})

    def join(self, kinds, *values):
        """Runs an event: its output, or the refusal of the request."""
        session = uuid.uuid4().hex
        body = {"data": values, "fn_index": self.events[kinds], "session_hash": session}
        status, content = self.send("gradio_api/queue/join", body)
        if status != 200:
            return status, content
        events = self.send(f"gradio_api/queue/data?session_hash={session}")[1].splitlines()
        done = next(event for event in events if b"process_completed" in event)
        return status, json.loads(done.removeprefix(b"data: "))["output"]


def named(path):
    """A file as a request names it."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    pytest.importorskip("gradio", reason=INSTALL)
    folder = tmp_path_factory.mktemp("mine")
    export(inverter(), folder, "inverter")
    with served(folder, "0.0.0.0") as address:
        yield Client(address.replace("0.0.0.0", "127.0.0.1"))


@pytest.mark.thorough
def test_the_page_reads_uploads_alone(client, home):
    """No other file of its machine, whatever a request calls it, and whatever it is for."""
    translate = ("image",)
    _, (upload,) = client.upload(Path("photo.png").read_bytes())
    uploads = Path(upload).parents[1]
    assert uploads.name.startswith("keras_gen_demo_")
    (uploads / "link.png").symlink_to(home / "photo.png")
    (uploads / "folder").symlink_to(home)
    files = [
        str(home / "photo.png"),
        os.path.relpath(home / "photo.png"),
        "/etc/passwd",
        "/no/such/file",
        "/dev/zero",
        str(uploads),
        str(uploads / "missing.png"),
        str(uploads / "link.png"),
        str(uploads / "folder" / "photo.png"),
        f"{uploads}/../../../../../etc/passwd",
        f"{upload}/../../../../../../etc/passwd",
        "http://127.0.0.1/photo.png",
        "https://example.com/photo.png",
        "file:///etc/passwd",
        "",
    ]
    before = sorted(uploads.rglob("*"))
    for file in files:
        assert client.join(translate, named(file)) == (403, NO_UPLOAD), file
        assert client.send(f"gradio_api/file={file}") == (403, NO_UPLOAD), file
        assert client.send(f"gradio_api/file/{file}") == (403, NO_UPLOAD), file
    for file in (3, None, {"path": upload}, [upload], "a\0b", "a\ud800"):
        assert client.join(translate, named(file)) == (403, NO_UPLOAD), file
    # Gradio copies files for components that are not for files, and deep inside their values.
    assert client.join(("number", "slider"), 0, named("/etc/passwd")) == (403, NO_UPLOAD)
    deep = [{"a": [named("/etc/passwd")]}]
    assert client.join(("number", "slider"), deep, 1) == (403, NO_UPLOAD)
    twice = b'{"data": [{"path": "/etc/passwd", "path": "' + upload.encode() + b'"}]}'
    assert client.send("gradio_api/queue/join", twice) == (403, NO_UPLOAD)
    assert client.send("gradio_api/queue/join", b"{")[0] == 400
    assert sorted(uploads.rglob("*")) == before  # nothing was copied

    status, output = client.join(translate, named(upload))
    levels = np.abs(255 - 2 * PHOTO.astype(float)).mean()
    assert status == 200 and f"Mean absolute change: {levels:.1f} of 255" in output["data"][2]
    assert client.send(f"gradio_api/file={output['data'][1]['path']}")[0] == 200


@pytest.mark.thorough
def test_the_page_bounds_what_is_sent(client):
    large = io.BytesIO()
    Image.new("1", (10_000, 5_001)).save(large, "PNG")
    _, (upload,) = client.upload(large.getvalue())
    output = client.join(("image",), named(upload))[1]
    assert "10000x5001 pixels, more than the maximum of 50,000,000" in output["error"]
    drawing = ("number", "slider")
    assert client.join(drawing, -(2**31), 64)[1]["data"]
    seed = "Seed is {}: expected an integer from -2147483648 to 2147483647."
    count = "Number of samples is {}: expected an integer from 1 to 64."
    for value, found in (
        (2**31, "2147483648"), (-(2**40), "-1099511627776"), (0.5, "0.5"), ("a", "&#x27;a&#x27;"),
        (float("nan"), "nan"), (float("inf"), "inf"), ([1], "[1]"), (True, "True"),
    ):  # fmt: skip
        assert client.join(drawing, value, 1)[1]["error"] == seed.format(found)
        assert client.join(drawing, 0, value)[1]["error"] == count.format(found)
    for value in (0, 65, -1):
        assert client.join(drawing, 0, value)[1]["error"] == count.format(value)
    assert client.join(drawing, None, 1)[1]["error"] == "Seed is empty: enter a number."
    assert client.join(drawing, 0, None)[1]["error"].startswith("Number of samples is empty")
    assert client.upload(bytes(2**20 + 1))[0] == 413
    for path, most in (("gradio_api/upload", 2**21), ("gradio_api/queue/join", 2**16)):
        large = {"Content-Length": str(most + 1)}  # the answer comes before the rest
        detail = {"detail": f"expected a request of at most {most} bytes."}
        assert client.send(path, b"{", **large) == (413, detail)
    # Nothing stays on the disk of uploads that end early, lack their end, or are of another name.
    _, (kept,) = client.upload(b"image")
    uploads = Path(kept).parents[1]
    before = sorted(uploads.rglob("*"))
    address = client.address.removeprefix("http://").rstrip("/").split(":")
    part = UPLOAD_START + bytes(2**19)
    head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: {':'.join(address)}\r\n"
    head += f"Content-Type: {MULTIPART}\r\nContent-Length: {2**20}\r\n\r\n"
    for _ in range(3):
        with socket.create_connection(address) as connection:
            connection.sendall(head.encode() + part)
    client.send("gradio_api/upload", part, **{"Content-Type": MULTIPART})
    other = part.replace(b"files", b"other") + b"\r\n--x--\r\n"
    client.send("gradio_api/upload", other, **{"Content-Type": MULTIPART})
    ended = time.monotonic() + 10  # a busy server notices closed connections a little later
    while sorted(uploads.rglob("*")) != before and time.monotonic() < ended:
        time.sleep(0.05)
    assert sorted(uploads.rglob("*")) == before
    chunks = {"Content-Length": "2", "Transfer-Encoding": "chunked"}
    assert client.send("gradio_api/queue/join", b"2\r\n{}\r\n0\r\n\r\n", **chunks)[0] == 411
    foreign = {"Origin": "http://example.com"}
    refused = (403, {"detail": "the request comes from another site."})
    assert client.send("gradio_api/queue/join", {}, **foreign) == refused
    # No event beside those that wait.
    body = {"data": [0, 1], "fn_index": client.events[drawing]}
    assert client.send("gradio_api/run/predict", body)[0] == 404


def printed(home, script):
    """What a script prints of `pages`, in a process of its own: Gradio leaves its sockets open."""
    pytest.importorskip("gradio", reason=INSTALL)
    start = (
        "from pathlib import Path\n"
        "from keras_gen.workshop.cli import page, panels\n"
        f"found, _ = panels.offers([Path({str(home)!r})])\n"
        "pages = page.page(found, [], 1, Path('.'), local=True).routes[-1].app\n"
    )
    done = python("-c", start + script)
    assert not done.returncode, done.stderr
    return done.stdout


@pytest.mark.thorough
def test_few_visitors_are_remembered(home):
    """Any number of names can be sent, and each takes memory that stays."""
    export(decoder(), home / "mine", "decoder")
    script = (
        "for number in range(page.VISITORS + 20): pages.state_holder[str(number)]\n"
        "print(len(pages.state_holder.session_data) - page.VISITORS)"
    )
    assert printed(home / "mine", script) == "0\n"


@pytest.fixture
def page(home):
    pytest.importorskip("gradio", reason=INSTALL)
    if chromium() is None:
        pytest.skip("needs Chromium, and there is none on this machine")
    export(inverter(), home / "mine", "inverter")
    export(decoder(), home / "mine", "decoder")
    with served(home / "mine") as address, browse(home / "profile") as page:
        page.send("Page.navigate", url=address)
        page.address = address
        page.wait("document.querySelector('input[role=combobox]') !== null")
        yield page


@pytest.mark.slow
def test_the_page_in_a_browser(home, page):
    """A photograph becomes its negative, a slider changes a shade; bad files are refused."""
    said = "document.body.innerText"

    # The model for photographs comes first, though its name does not, and has an example.
    page.press("Use the example photograph")
    page.wait(f"{said}.includes('Mean absolute change')")
    page.run(REMOVE)
    page.wait(f"Boolean({FILE})")
    page.upload(FILE, home / "photo.png")
    levels = np.abs(255 - 2 * PHOTO.astype(float)).mean()
    page.wait(f"{said}.includes('Mean absolute change: {levels:.1f} of 255 levels')")
    page.press("Halve")
    page.wait(f"Boolean({FILE})")
    page.upload(FILE, home / "photo.png")
    levels = (PHOTO - PHOTO // 2).mean()
    page.wait(f"{said}.includes('Mean absolute change: {levels:.1f} of 255 levels')")

    (home / "broken.jpg").write_text("not an image")
    write_png("large.png", np.random.default_rng(0).integers(0, 256, [700, 700, 3], np.uint8))
    for file, sentence in (
        (
            "broken.jpg",
            "broken.jpg is not a readable PNG, JPEG, WebP, GIF, BMP, or TIFF image (12 bytes)",
        ),
        ("large.png", "exceed the maximum allowed size of 1"),
    ):
        page.run(REMOVE)
        page.wait(f"Boolean({FILE})")
        page.upload(FILE, home / file)
        page.wait(f"{said}.includes('{sentence}')")

    page.run("document.querySelector('input[role=combobox]').focus()")
    options = "[...document.querySelectorAll('[role=option]')]"
    option = f"{options}.find(o => o.innerText.trim().endsWith('decoder'))"
    page.wait(f"Boolean({option})")
    page.run(f"{option}.dispatchEvent(new MouseEvent('mousedown', {{bubbles: true}}))")
    page.wait(f"Boolean({SLIDER})")
    page.press("Set all latents to 0")
    page.wait(f"{SHADE} === 128")
    page.run(f"{SLIDER}.value = 2, {SLIDER}.dispatchEvent(new Event('input', {{bubbles: true}}))")
    page.wait(f"{SHADE} === 128 + 80")

    outside = [a for a in page.addresses if not a.startswith((page.address, "data:", "blob:"))]
    assert len(page.addresses) > 10 and outside == []
