"""The page of `keras-gen demo`. Only this module imports Gradio."""

import functools
import html
import importlib.metadata
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastapi
import gradio as gr
import numpy as np

from keras_gen.files.images import decode_image, write_image
from keras_gen.serving import exported
from keras_gen.workshop.cli import models
from keras_gen.workshop.cli.panels import (
    ANY,
    EFFECTS,
    MISSING,
    MOST,
    STEPS,
    Classes,
    Completion,
    Images,
    Latents,
    Offer,
    Panel,
    Samples,
    Sounds,
    Start,
    Steps,
    words,
)
from keras_gen.workshop.cli.request_guard import Guard

SHOWN = 448  # approximate size in pixels to which smaller images are enlarged
HEIGHT = 380
PIXELS = 50_000_000  # maximum size of an image; larger images would delay all visitors
# Maximum number of waiting events, which run one after another. Further events are rejected.
WAITING = 64
# Maximum number of visitors whose state is kept; a state takes about a megabyte.
VISITORS = 100

# The page uses fonts installed on the visitor's machine, because web fonts would be downloaded.
FONT = ["system-ui", "sans-serif"]
MONOSPACE = ["ui-monospace", "monospace"]
# Images are scaled to fill the available space.
CSS = ".image-container img { object-fit: contain !important; width: 100%; height: 100%; }"

# Photograph that visitors can try.
EXAMPLE = "sklearn/datasets/images/china.jpg"
CREDIT = (
    "Example photograph by [danielbuechele](https://www.flickr.com/photos/danielbuechele/"
    "6061409035/), [CC BY 2.0](https://creativecommons.org/licenses/by/2.0/)"
)

# Gradio passes an event's progress bar to parameters with this default value.
PROGRESS = gr.Progress()

load = functools.cache(exported.load)


def page(
    offers: list[Offer], others: list[Path], megabytes: int, uploads: Path, local: bool
) -> fastapi.FastAPI:
    """Builds the page as an application. Exports are loaded on first use.

    Exports without a panel are only listed. The page rejects files above the size limit in
    megabytes, and files outside of the folder `uploads`. If `local` is True, the page also rejects
    requests whose host name could belong to another site.
    """
    example = _example(uploads)
    choices = [(offer.name, index) for index, offer in enumerate(offers)]
    # The first model shown is one that accepts photographs, if there is one.
    takers = [
        any(isinstance(p, Images) and p.any_size for p in offer.panels) for offer in offers
    ]
    first = takers.index(True) if any(takers) else 0
    with gr.Blocks(title="keras_gen", analytics_enabled=False) as blocks:
        gr.Markdown(
            "# keras_gen\nTry trained models. They run on the machine that serves this page, "
            "and no data leaves that machine."
        )
        info = "Each model is loaded when it is first used."
        chosen = gr.Dropdown(choices, value=first, label="Model", info=info)
        columns = []
        for index, offer in enumerate(offers):
            with gr.Column(visible=index == first) as column:
                gr.Markdown(offer.about)
                for panel in offer.panels:
                    with gr.Tab(panel.title) as tab:
                        if isinstance(panel, Images):
                            _images(offer.path, panel, example)
                        else:
                            _BUILDERS[type(panel)](offer.path, panel, tab)
            columns.append(column)
        if others:
            with gr.Accordion(f"Models without a panel here ({len(others)})", open=False):
                gr.Markdown(_left_out(others))

        def show(index: int) -> list[gr.Column]:
            return [gr.Column(visible=other == index) for other in range(len(columns))]

        chosen.change(show, chosen, columns, queue=False)
    blocks.queue(api_open=False, max_size=WAITING)
    blocks.state_session_capacity = VISITORS
    messages = blocks._queue.pending_messages_per_session

    def unread(visitor: str) -> int:
        return messages[visitor].qsize() if visitor in messages else 0

    # FastAPI's own pages are disabled, because they load scripts from another site.
    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    most = megabytes * 2**20
    app.add_middleware(Guard, uploads=uploads, most=most, local=local, unread=unread)
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
        # Gradio shows only errors raised in `_on`, because others may reveal paths on this machine.
        show_error=False,
        css=CSS,
        theme=gr.themes.Soft(font=FONT, font_mono=MONOSPACE),
    )


def _example(uploads: Path) -> Path | None:
    """Copies a photograph from scikit-learn, if installed, to the uploads.

    The package is not imported. Returns the path of the copy, or None if scikit-learn is not
    installed.
    """
    try:
        file = importlib.metadata.distribution("scikit-learn").locate_file(EXAMPLE)
        photograph = decode_image(Path(str(file)).read_bytes())
    except (importlib.metadata.PackageNotFoundError, OSError, ValueError):
        return None
    write_image(uploads / "example.png", photograph)
    return uploads / "example.png"


def _left_out(others: list[Path]) -> str:
    """Returns text that lists the exports without a panel."""
    reason = (
        "These models process or produce text, tables, video, or audio. Run them in Python with "
        "`keras_gen.serving.exported.load`."
    )
    return "\n".join([reason, "", *(f"- {html.escape(str(path))}" for path in others)])


def _images(path: Path, panel: Images, example: Path | None) -> None:
    with gr.Row():
        file = _upload("Before")
        # The upload component already shows an image that keeps its size.
        before = _image("Model input", visible=not panel.any_size)
        after = _image("After")
    note = gr.Markdown()
    if example and panel.any_size:  # other models expect images like their training data
        button = gr.Button("Use the example photograph", size="sm")
        button.click(lambda: str(example), None, file, queue=False, api_visibility="private")
        gr.Markdown(CREDIT)

    def run(progress: gr.Progress, file: str | None) -> tuple:
        if file is None:
            return None, None, ""
        image = _read(file)  # rejects an invalid image before a model is loaded
        taken, made = panel.run(_loaded(path, progress), image)
        shown = None if panel.any_size else _enlarged(taken)
        return shown, _enlarged(made), _compared(taken, made)

    _on([file.change], run, [file], [before, after, note])


def _samples(path: Path, panel: Samples, tab: gr.Tab) -> None:
    heard = isinstance(panel, Sounds)
    with gr.Row():
        with gr.Column():
            seed = _as_entered(gr.Number(0, label="Seed", info=EFFECTS["seed"], precision=0))
            label = "Sounds" if heard else "Images"
            usual = 1 if heard else min(16, panel.most)
            info = f"Number of {label.lower()} to generate at once."
            n = _as_entered(
                gr.Slider(1, panel.most, value=usual, step=1, label=label, info=info)
            )
            conditions = [_condition(panel, name) for name in panel.conditions]
            draw = gr.Button("Generate", variant="primary")
        drawn: gr.Audio | gr.Image
        if heard:
            drawn = gr.Audio(label="Sounds", interactive=False, buttons=["download"])
        else:
            drawn = _image(_drawn(panel))

    def run(progress: gr.Progress, seed: int | None, n: int, *values: float) -> Any:
        conditions = dict(zip(panel.conditions, values, strict=True))
        panel.inputs(seed, n, conditions)  # rejects invalid inputs before a model is loaded
        model = _loaded(path, progress)
        made = panel.run(model, seed, n, conditions)
        return (models.rate_of(model.metadata), made) if heard else _enlarged(made)

    _on([draw.click], run, [seed, n, *conditions], [drawn])


def _drawn(panel: Samples) -> str:
    """Returns the caption of the sample grid."""
    if isinstance(panel, Steps):
        return f"The same noise after {', '.join(map(str, STEPS))} steps"
    return "Samples"


def _condition(panel: Samples, name: str) -> gr.Number | gr.Dropdown | gr.Slider | gr.Textbox:
    """Returns a condition's input element: a list if its values have names, or else a number."""
    usual = panel.conditions[name]
    info = f"{EFFECTS.get(name, '')} Default: {models.said(usual)}.".strip()
    common: dict[str, Any] = dict(value=usual, label=words(name), info=info)
    if options := panel.signature.options.get(name):
        return gr.Dropdown(list(options), **common)
    if isinstance(usual, str):
        return gr.Textbox(**common)
    if names := panel.names.get(name):
        choices = [("any", ANY), *((text, number) for number, text in enumerate(names))]
        return gr.Dropdown(choices, **common)
    whole = panel.signature.inputs[name]["dtype"] == "int32"
    if limits := panel.signature.limits.get(name):
        low, high = limits
        step = 1 if whole else round((high - low) / 100, 3)
        return _as_entered(gr.Slider(low, high, step=step, **common))
    return _as_entered(gr.Number(precision=0 if whole else None, **common))


def _as_entered(element: Any) -> Any:
    """Returns an element that passes on each value unchanged, so that the panel checks it.

    Otherwise, Gradio would round fractions, and would describe other errors without a name.
    """
    element.preprocess = lambda payload: payload
    return element


def _classes(path: Path, panel: Classes, tab: gr.Tab) -> None:
    with gr.Row():
        file = _upload("Image")
        before = _image("Model input")
        found = gr.Label(label="Probabilities", num_top_classes=5)

    def run(progress: gr.Progress, file: str | None) -> tuple:
        if file is None:
            return None, None
        image = _read(file)
        taken, odds = panel.run(_loaded(path, progress), image)
        return _enlarged(taken), odds

    _on([file.change], run, [file], [before, found])


def _completion(path: Path, panel: Completion, tab: gr.Tab) -> None:
    labeled = "labels" in panel.signature.asked
    choices = (
        [(text, number) for number, text in enumerate(panel.names)] if labeled else [("", 0)]
    )
    several = "seeds" in panel.signature.asked
    with gr.Row():
        file = _upload("Image")
        with gr.Column():
            info = "Part of the image to generate."
            missing = gr.Dropdown(list(MISSING), label="Missing part", info=info)
            info = "Class of the completed image."
            label = gr.Dropdown(choices, value=0, label="Label", info=info, visible=labeled)
            info = "Number of completions to generate."
            usual = 9 if several else 1
            n = _as_entered(
                gr.Slider(
                    1, MOST, value=usual, step=1, label="Images", info=info, visible=several
                )
            )
            draw = gr.Button("Complete", variant="primary")
        before = _image("Model input")
        drawn = _image("Completed")

    def run(progress: gr.Progress, file: str | None, missing: str, label: int, n: int) -> tuple:
        if file is None:
            raise ValueError("there is no image yet: choose or drop an image.")
        image = _read(file)
        seen, made = panel.run(_loaded(path, progress), image, missing, label, n)
        return _enlarged(seen), _enlarged(made)

    _on([draw.click], run, [file, missing, label, n], [before, drawn])


def _latents(path: Path, panel: Latents, tab: gr.Tab) -> None:
    start = gr.State()
    sliders: list[gr.Slider] = []
    with gr.Row():
        with gr.Column():
            file = _upload("Image to encode", visible=panel.encoder is not None)
            zeros = gr.Button("Set all latents to 0")
            random = gr.Button("Random latents")
        with gr.Column(scale=2):
            for index in range(panel.sliders):
                if index % 2 == 0:
                    row = gr.Row()
                with row:
                    sliders.append(_as_entered(gr.Slider(-1, 1, value=0, **_latent(index))))
        with gr.Column():
            decoded = _image("Decoded")

    def begin(progress: gr.Progress, file: str | None, seed: int | None = None) -> tuple:
        image = None if file is None else _read(file)
        began = panel.start(_loaded(path, progress), image, seed)
        moved = []
        for dimension in began.moved:
            value = round(float(began.latents[dimension]), 2)
            limits = (-began.reach, began.reach)
            moved.append(gr.Slider(*limits, value=value, **_latent(dimension)))
        return began, _enlarged(panel.run(load(path), began.latents)), *moved

    def move(progress: gr.Progress, began: Start | None, *values: float) -> np.ndarray | None:
        if began is None:
            return None
        return _enlarged(panel.run(load(path), began.at(values)))

    def redraw(progress: gr.Progress) -> tuple:
        return begin(progress, None, seed=secrets.randbits(31))

    def opened(progress: gr.Progress, file: str | None) -> tuple:
        # A panel without an encoder starts from random latents, because its generator was trained
        # on random latents, all of which are far from zeros.
        return begin(progress, file) if panel.encoder else redraw(progress)

    shown = [start, decoded, *sliders]
    _on([tab.select], opened, [file], shown)
    _on([file.change], begin, [file], shown)
    _on([zeros.click], lambda progress: begin(progress, None), [], shown)
    _on([random.click], redraw, [], shown)
    moves = [slider.input for slider in sliders]
    last = dict(trigger_mode="always_last", show_progress="hidden")
    _on(moves, move, [start, *sliders], [decoded], **last)


def _latent(dimension: int) -> dict[str, Any]:
    info = "Moves the latents along this dimension."
    return {"label": f"Latent {dimension}", "info": info}


_BUILDERS: dict[type[Panel], Callable] = {
    Samples: _samples,
    Steps: _samples,
    Sounds: _samples,
    Classes: _classes,
    Completion: _completion,
    Latents: _latents,
}


def _loaded(path: Path, progress: gr.Progress) -> exported.Exported:
    """Loads an export. On first use, the progress bar explains the wait."""
    progress(0.3, desc="Loading the model (only once)")
    model = load(path)
    progress(0.6, desc="Running the model (the first run is slowest)")
    return model


def _upload(label: str, visible: bool = True) -> gr.Image:
    file: Any = gr.Image(
        label=label,
        sources=["upload"],
        placeholder="Drop a photograph here\nor click to choose one",
        height=HEIGHT,
        visible=visible,
        buttons=[],
    )
    # Functions receive the file's path, and read the file in the same way as the commands do.
    # The guard has already checked that the file was uploaded.
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
    """Runs a model on each event (one model at a time), and shows each error in one sentence."""

    def checked(progress: gr.Progress = PROGRESS, *values: Any) -> Any:
        try:
            return run(progress, *values)
        except (OSError, ValueError) as error:
            # An export's own messages begin with its path on this machine.
            message = str(error).rpartition(" failed: ")[2]
            # File names in messages are escaped, because the page renders messages as HTML.
            raise gr.Error(html.escape(message), print_exception=False) from error

    options |= dict(concurrency_id="models", concurrency_limit=1, api_visibility="private")
    gr.on(triggers, fn=checked, inputs=inputs, outputs=outputs, **options)


def _read(file: str) -> np.ndarray:
    try:
        return decode_image(Path(file).read_bytes(), PIXELS)
    except ValueError as error:
        raise ValueError(f"{Path(file).name} is {error}: choose another file.") from error


def _enlarged(image: np.ndarray) -> np.ndarray:
    """Returns an RGB image in which each pixel of a small image becomes a square."""
    times = max(1, SHOWN // max(image.shape[:2]))
    image = image.repeat(times, 0).repeat(times, 1)
    return np.broadcast_to(image, [*image.shape[:2], 3])


def _compared(before: np.ndarray, after: np.ndarray) -> str:
    """Describes the difference between two images of the same size."""
    if before.shape != after.shape:
        return f"The output is {after.shape[1]} × {after.shape[0]} pixels."
    difference = np.abs(before.astype(float) - after).mean()
    return f"Mean absolute change: {difference:.1f} of 255 levels."
