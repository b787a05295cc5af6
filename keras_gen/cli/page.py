"""The page of `keras-gen demo`. Needs Gradio, which nothing else here imports."""

import functools
import html
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastapi
import gradio as gr
import numpy as np

from keras_gen.cli.guard import Guard
from keras_gen.cli.panels import MOST, Images, Latents, Offer, Panel, Samples, Start, words
from keras_gen.media.images import decode_image
from keras_gen.serving import exported

SHOWN = 448  # pixels: smaller images are enlarged to about this
HEIGHT = 380
# Events run one after another: those that come while so many wait are refused.
WAITING = 64

# Fonts of the reader's machine: others would be fetched from elsewhere.
FONT = ["system-ui", "sans-serif"]
MONOSPACE = ["ui-monospace", "monospace"]
# Images fill the room that they have.
CSS = ".image-container img { object-fit: contain !important; width: 100%; height: 100%; }"

load = functools.cache(exported.load)


def page(offers: list[Offer], megabytes: int, uploads: Path) -> fastapi.FastAPI:
    """The page as an application: exports are loaded when they are first used.

    Files of more than so many megabytes are refused, and files outside the folder `uploads`.
    """
    choices = [(offer.name, index) for index, offer in enumerate(offers)]
    # The first model is one for photographs, if there is one.
    takers = [
        any(isinstance(p, Images) and p.any_size for p in offer.panels) for offer in offers
    ]
    first = takers.index(True) if any(takers) else 0
    with gr.Blocks(title="keras_gen", analytics_enabled=False) as blocks:
        gr.Markdown(
            "# keras_gen\nTrained models to try. They run on the machine that serves this page, "
            "and nothing is sent elsewhere."
        )
        chosen = gr.Dropdown(choices, value=first, label="Model")
        columns = [
            _column(offer, index == first, megabytes) for index, offer in enumerate(offers)
        ]

        def show(index: int) -> list[gr.Column]:
            return [gr.Column(visible=other == index) for other in range(len(columns))]

        chosen.change(show, chosen, columns, queue=False)
    blocks.queue(api_open=False, max_size=WAITING)
    app = fastapi.FastAPI()
    app.add_middleware(Guard, uploads=uploads, most=megabytes * 2**20)
    return gr.mount_gradio_app(
        app,
        blocks,
        "/",
        footer_links=[],
        run_history=False,
        max_file_size=megabytes * 2**20,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        show_error=False,  # but for those of `_on`: others may name what is on this machine
        css=CSS,
        theme=gr.themes.Soft(font=FONT, font_mono=MONOSPACE),
    )


def _column(offer: Offer, visible: bool, megabytes: int) -> gr.Column:
    """What is shown while an export is chosen."""
    with gr.Column(visible=visible) as column:
        gr.Markdown(offer.about)
        with gr.Tabs():
            for panel in offer.panels:
                with gr.Tab(panel.title) as tab:
                    _BUILDERS[type(panel)](offer.path, panel, megabytes, tab)
    return column


def _images(path: Path, panel: Images, megabytes: int, tab: gr.Tab) -> None:
    names = list(panel.signatures)
    choices = [(words(name), name) for name in names]
    several = len(names) > 1
    name = gr.Radio(choices, value=names[0], show_label=False, container=False, visible=several)
    with gr.Row():
        file = _upload(megabytes, "Before")
        # What keeps its size is shown by the upload itself.
        before = _image("As the model takes it", visible=not panel.any_size)
        after = _image("After")
    note = gr.Markdown()

    def run(file: str | None, name: str) -> tuple:
        if file is None:
            return None, None, ""
        image = _read(file)  # refused before a model is loaded
        taken, made = panel.run(load(path), name, image)
        shown = None if panel.any_size else _enlarged(taken)
        return shown, _enlarged(made), _compared(taken, made)

    _on([file.change, name.change], run, [file, name], [before, after, note])


def _samples(path: Path, panel: Samples, megabytes: int, tab: gr.Tab) -> None:
    with gr.Row():
        with gr.Column():
            seed = gr.Number(0, label="Seed", precision=0)
            n = gr.Slider(1, MOST, value=16, step=1, label="Images")
            conditions = []
            for name, value in panel.conditions.items():
                precision = 0 if panel.signature.inputs[name]["dtype"] == "int32" else None
                label = f"{words(name)} (usually {value})"
                conditions.append(gr.Number(value, label=label, precision=precision))
            draw = gr.Button("Draw", variant="primary")
        drawn = _image("Samples")

    def run(seed: int, n: int, *values: float) -> np.ndarray:
        conditions = dict(zip(panel.conditions, values, strict=True))
        return _enlarged(panel.run(load(path), seed, n, conditions))

    _on([draw.click], run, [seed, n, *conditions], [drawn])


def _latents(path: Path, panel: Latents, megabytes: int, tab: gr.Tab) -> None:
    start = gr.State()
    sliders: list[gr.Slider] = []
    with gr.Row():
        with gr.Column():
            file = _upload(megabytes, "Image to encode", visible=panel.encoder is not None)
            zeros = gr.Button("All latents at 0")
            random = gr.Button("Random latents")
        with gr.Column(scale=2):
            for index in range(panel.sliders):
                if index % 2 == 0:
                    row = gr.Row()
                with row:
                    sliders.append(gr.Slider(-1, 1, value=0, label=f"Latent {index}"))
        with gr.Column():
            decoded = _image("Decoded")

    def begin(file: str | None, seed: int | None = None) -> tuple:
        image = None if file is None else _read(file)
        began = panel.start(load(path), image, seed)
        moved = []
        for dimension in began.moved:
            value = round(float(began.latents[dimension]), 2)
            moved.append(
                gr.Slider(-began.reach, began.reach, value=value, label=f"Latent {dimension}")
            )
        return began, _enlarged(panel.run(load(path), began.latents)), *moved

    def move(began: Start | None, *values: float) -> np.ndarray | None:
        if began is None:
            return None
        return _enlarged(panel.run(load(path), began.at(values)))

    def redraw() -> tuple:
        return begin(None, seed=secrets.randbits(31))

    def opened(file: str | None) -> tuple:
        # A generator was trained on draws, and zeros are far from all of them.
        return begin(file) if panel.encoder else redraw()

    shown = [start, decoded, *sliders]
    _on([tab.select], opened, [file], shown)
    _on([file.change], begin, [file], shown)
    _on([zeros.click], lambda: begin(None), [], shown)
    _on([random.click], redraw, [], shown)
    moves = [slider.input for slider in sliders]
    last = dict(trigger_mode="always_last", show_progress="hidden")
    _on(moves, move, [start, *sliders], [decoded], **last)


_BUILDERS: dict[type[Panel], Callable] = {Images: _images, Samples: _samples, Latents: _latents}


def _upload(megabytes: int, label: str, visible: bool = True) -> gr.Image:
    file: Any = gr.Image(
        label=label,
        sources=["upload"],
        placeholder=f"Drop a photograph here\nor click to choose one, of at most {megabytes} MB",
        height=HEIGHT,
        visible=visible,
        buttons=[],
    )
    # Functions get the path of the file, and read it as all commands read images. The guard has
    # seen that it is an upload.
    file.preprocess = lambda payload: payload and payload.path
    return file


def _image(label: str, visible: bool = True) -> gr.Image:
    return gr.Image(
        label=label,
        format="png",
        height=HEIGHT,
        interactive=False,
        visible=visible,
        buttons=["download", "fullscreen"],
    )


def _on(triggers: list, run: Callable, inputs: list, outputs: list, **options: Any) -> None:
    """Runs a model at each event: one model at a time, and errors as one sentence."""

    @functools.wraps(run)
    def checked(*values: Any) -> Any:
        try:
            return run(*values)
        except (OSError, ValueError) as error:
            # The page takes it for HTML, and names of files are in it.
            raise gr.Error(html.escape(str(error)), print_exception=False) from error

    options |= dict(concurrency_id="models", concurrency_limit=1, api_visibility="private")
    gr.on(triggers, fn=checked, inputs=inputs, outputs=outputs, **options)


def _read(file: str) -> np.ndarray:
    try:
        return decode_image(Path(file).read_bytes())
    except ValueError as error:
        raise ValueError(f"{Path(file).name} is {error}: choose another file.") from error


def _enlarged(image: np.ndarray) -> np.ndarray:
    """A small image with each pixel as a square of several, RGB."""
    times = max(1, SHOWN // max(image.shape[:2]))
    image = image.repeat(times, 0).repeat(times, 1)
    return np.broadcast_to(image, [*image.shape[:2], 3])


def _compared(before: np.ndarray, after: np.ndarray) -> str:
    """How far two images of one size differ."""
    if before.shape != after.shape:
        return f"It has {after.shape[1]} by {after.shape[0]} pixels."
    difference = np.abs(before.astype(float) - after).mean()
    return f"After differs from before by {difference:.1f} of 255 levels in the mean."
