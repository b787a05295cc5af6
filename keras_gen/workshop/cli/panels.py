"""Panels that `keras-gen demo` shows for exports, depending on their signatures."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_gen.arguments import checked_integer, checked_number
from keras_gen.files.images import grid, to_pillow
from keras_gen.serving import exported
from keras_gen.serving.exported import data_of
from keras_gen.workshop.cli import listing, models
from keras_gen.workshop.cli.complete import HALVES, completes, half
from keras_gen.workshop.cli.recipes import recipes

LONGEST = 1024  # maximum pixels on the longer side of an image; larger images take too long
MOST = 64  # maximum number of images in a grid
STEPS = (1, 2, 3, 5, 10, 20, 50)  # numbers of solver steps compared for the same noise
SLIDERS = 10
# Range of a slider to either side of the mean, in standard deviations of a standard normal
# prior.
REACH = 3
# Maximum number of dimensions that are compared; decoding both ends of more dimensions would take
# too long.
PROBED = 256
ANY = -1  # the value that represents any class
EFFECTS = {
    "seed": "The same seed gives the same samples.",
    "label": "Class of the samples.",
    "speaker": "Voice of the samples.",
    "psi": "Values below 1 give more typical, less varied samples.",
    "temperature": "Values below 1 give more likely, less varied samples.",
    "truncation": (
        "Limit on the size of each latent, in standard deviations. Lower values give less "
        "varied samples."
    ),
    "guidance": "Higher values give samples that match their label better but vary less.",
    "steps": "More steps give more accurate samples but take longer.",
    "solver": "Method that turns noise into samples.",
}
"""Dict from the names of conditions to their descriptions."""
# The parts of an image that may be missing, by displayed name.
MISSING = {f"{name.capitalize()} half": name for name in HALVES}


@dataclasses.dataclass(frozen=True)
class Signature:
    """A signature, as described by an export's metadata."""

    name: str
    inputs: Mapping[str, Any]  # name -> dtype and shape
    usual: Mapping[str, Any]  # the values of inputs that may be omitted
    outputs: Mapping[str, Any]  # name -> dtype and shape
    limits: Mapping[str, Sequence[float]] = dataclasses.field(default_factory=dict)
    """Dict from the names of numeric inputs to their minimum and maximum."""
    options: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    """Dict from the names of inputs that accept names to the names that they accept."""

    @property
    def asked(self) -> dict[str, Any]:
        """The required inputs of the signature."""
        return {name: spec for name, spec in self.inputs.items() if name not in self.usual}

    @property
    def image(self) -> str:
        """The name of the first image output, or an empty string."""
        return next((name for name, spec in self.outputs.items() if _is_image(spec)), "")

    def takes(self, kind: Any) -> bool:
        """Returns whether the only required input of the signature has the given type."""
        return [bool(kind(spec)) for spec in self.asked.values()] == [True]

    @property
    def shape(self) -> list[int | None]:
        """The shape of the only required input."""
        (spec,) = self.asked.values()
        return list(spec["shape"])

    def run(self, model: exported.Exported, value: Any, output: str = "") -> np.ndarray:
        """Returns one output (by default, the first image output) for the only required input."""
        (name,) = self.asked
        return model(self.name, **{name: value})[output or self.image]


@dataclasses.dataclass(frozen=True)
class Images:
    """An image-to-image signature."""

    signature: Signature

    @property
    def title(self) -> str:
        """The displayed name of the signature."""
        return words(self.signature.name)

    @property
    def any_size(self) -> bool:
        """Whether photographs are used unchanged, in color and at any size."""
        return self.signature.shape == [None, None, None, 3]

    def run(self, model: exported.Exported, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns an RGB image prepared for the signature, and the signature's output."""
        most = model.metadata.get("largest_request", {}).get("elements")
        before = fitted(image, self.signature.shape, most)
        return before, self.signature.run(model, before[None])[0]


@dataclasses.dataclass(frozen=True)
class Samples:
    """A signature that generates images from a seed, a number of images, and conditions."""

    signature: Signature
    names: Mapping[str, Sequence[str]]  # names of a condition's values 0, 1, ...
    title = "Sample"
    most = MOST

    @property
    def conditions(self) -> dict[str, Any]:
        """The default value of each condition that is a single number or name."""
        scalars = {name for name, spec in self.signature.inputs.items() if spec["shape"] == []}
        return {name: value for name, value in self.signature.usual.items() if name in scalars}

    def inputs(self, seed: Any, n: Any, conditions: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the signature's inputs, and rejects numbers that are missing or out of range."""
        limits = dict(self.signature.limits) | {"n": (1, self.most)}
        inputs = {"seed": seed, "n": n, **conditions}
        for name, value in inputs.items():
            dtype = self.signature.inputs[name]["dtype"]
            if dtype in ("int32", "float32"):
                whole = dtype == "int32"
                low, high = limits.get(name, (-(2**31), 2**31 - 1) if whole else (None, None))
                displayed = "Number of samples" if name == "n" else words(name)
                inputs[name] = entered(displayed, value, low, high, whole)
        return inputs

    def run(
        self, model: exported.Exported, seed: int | None, n: int, conditions: Mapping[str, Any]
    ) -> np.ndarray:
        """Returns a grid of n images, with n from 1 to `MOST`."""
        inputs = self.inputs(seed, n, conditions)
        return grid(model(self.signature.name, **inputs)[self.signature.image])


@dataclasses.dataclass(frozen=True)
class Steps(Samples):
    """A solver signature, which turns the same noise into images in few steps and in many steps."""

    title = "Steps"
    most = 8  # maximum number of rows in the grid

    @property
    def conditions(self) -> dict[str, Any]:
        """All conditions except for the number of steps."""
        return {name: value for name, value in super().conditions.items() if name != "steps"}

    def run(
        self, model: exported.Exported, seed: int | None, n: int, conditions: Mapping[str, Any]
    ) -> np.ndarray:
        """Returns n rows (1 to `most`), each with one image per number of steps in `STEPS`."""
        inputs = self.inputs(seed, n, conditions)
        columns = [
            model(self.signature.name, **inputs, steps=steps)[self.signature.image]
            for steps in STEPS
        ]
        return grid(np.concatenate(np.stack(columns, axis=1)), columns=len(STEPS))


@dataclasses.dataclass(frozen=True)
class Sounds(Samples):
    """A signature that generates sounds from a seed, a number of sounds, and conditions."""

    title = "Listen"
    most = models.KINDS["sounds"][0]

    def run(
        self, model: exported.Exported, seed: int | None, n: int, conditions: Mapping[str, Any]
    ) -> np.ndarray:
        """Returns 1 to `models.SOUNDS` sounds, joined in sequence, int16 `[samples]`."""
        inputs = self.inputs(seed, n, conditions)
        sounds = model(self.signature.name, **inputs)["waveforms"]
        return models.one_after_another(sounds, models.rate_of(model.metadata))


@dataclasses.dataclass(frozen=True)
class Classes:
    """A signature that returns class logits for images."""

    signature: Signature
    names: Sequence[str]
    title = "Classify"

    def run(
        self, model: exported.Exported, image: np.ndarray
    ) -> tuple[np.ndarray, dict[str, float]]:
        """Returns an RGB image after its preparation for the signature, and class probabilities."""
        before = fitted(image, self.signature.shape)
        logits = self.signature.run(model, before[None], "logits")[0].astype(float)
        odds = np.exp(logits - logits.max())
        return before, dict(zip(self.names, map(float, odds / odds.sum()), strict=True))


@dataclasses.dataclass(frozen=True)
class Completion:
    """A signature that inpaints the masked part of an image."""

    signature: Signature
    names: Sequence[str]  # class names, if the signature accepts labels
    title = "Complete"

    def run(
        self, model: exported.Exported, image: np.ndarray, missing: str, label: int, n: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns an image whose missing part is gray, and a grid of 1 to `MOST` completions."""
        n = int(entered("Number of completions", n, 1, MOST))
        _, height, width, _ = self.signature.inputs["images"]["shape"]
        before = fitted(image, self.signature.inputs["images"]["shape"])
        mask = half(MISSING[missing], height, width)
        inputs: dict[str, Any] = {"images": [before] * n, "masks": [mask] * n}
        if "seeds" in self.signature.asked:
            inputs["seeds"] = range(n)
        if "labels" in self.signature.asked:
            inputs["labels"] = [label] * n
        arrays = {
            name: np.asarray(value, self.signature.inputs[name]["dtype"])
            for name, value in inputs.items()
        }
        drawn = model(self.signature.name, **arrays)[self.signature.image]
        return np.where(mask, np.uint8(128), before), grid(drawn)


@dataclasses.dataclass(frozen=True)
class Start:
    """The initial state of the sliders for latents."""

    latents: np.ndarray  # float32 `[dimensions]`
    moved: list[int]  # the dimensions that have a slider
    reach: int  # range of a slider in both directions

    def at(self, values: Sequence[float]) -> np.ndarray:
        """Returns the latents for the sliders' values, which are within `reach`."""
        latents = self.latents.copy()
        for dimension, value in zip(self.moved, values, strict=True):
            name = f"Latent {dimension}"
            latents[dimension] = entered(name, value, -self.reach, self.reach, whole=False)
        return latents


@dataclasses.dataclass(frozen=True)
class Latents:
    """A signature that decodes a vector of latents, and the encoding signature, if any."""

    signature: Signature
    encoder: Signature | None
    title = "Latents"

    @property
    def sliders(self) -> int:
        """The number of sliders."""
        return min(SLIDERS, self.signature.shape[1] or 0)

    def run(self, model: exported.Exported, latents: np.ndarray) -> np.ndarray:
        """Returns the image decoded from latents `[dimensions]`."""
        return self.signature.run(model, latents[None])[0]

    def start(
        self,
        model: exported.Exported,
        image: np.ndarray | None = None,
        seed: int | None = None,
    ) -> Start:
        """Returns the sliders' initial state: an image's latents, normal samples, or zeros.

        The sliders control the dimensions that change the decoded image most.
        """
        latents = np.zeros(self.signature.shape[1] or 0, np.float32)
        if seed is not None:
            latents = np.random.default_rng(seed).standard_normal(len(latents), np.float32)
        if self.encoder is not None and image is not None:
            code = _code(self.encoder, self.signature.shape)
            latents = self.encoder.run(model, fitted(image, self.encoder.shape)[None], code)[0]
        reach = max(REACH, math.ceil(np.abs(latents).max()))
        ends = [
            self.signature.run(model, _one_moved(latents, end)).astype(np.float32)
            for end in (-reach, reach)
        ]
        change = np.abs(ends[1] - ends[0]).mean(axis=(1, 2, 3))
        moved = np.argsort(-change, kind="stable")[: self.sliders]
        return Start(latents, sorted(map(int, moved)), reach)


Panel = Images | Samples | Steps | Sounds | Classes | Completion | Latents


@dataclasses.dataclass(frozen=True)
class Offer:
    """An export and its panels."""

    name: str
    path: Path
    about: str
    panels: list[Panel]


def offers(folders: Iterable[Path]) -> tuple[list[Offer], list[Path]]:
    """Returns the exports with panels and the exports without panels, and loads no model.

    A folder contains exports, contains the versions of one export, or is a SavedModel itself.
    """
    found: list[Offer] = []
    others: list[Path] = []
    for folder in folders:
        for path in _exports(folder):
            metadata = _metadata(path)
            if its_panels := panels(metadata):
                name = str(metadata.get("name") or path)
                found.append(Offer(name, path, about(path, metadata), its_panels))
            else:
                others.append(path)
    return found, others


def panels(metadata: Mapping[str, Any]) -> list[Panel]:
    """Returns the panels of an export, which depend on the signatures in its metadata."""
    default = metadata.get("default_signature")
    usual, limits, options = (metadata.get(k, {}) for k in ("defaults", "limits", "options"))
    signatures = {
        name: Signature(
            name,
            spec["inputs"],
            usual.get(name, {}),
            spec["outputs"],
            limits.get(name, {}),
            options.get(name, {}),
        )
        for name, spec in metadata.get("signatures", {}).items()
    }
    drawing = [s for s in signatures.values() if s.image]
    translating = sorted(
        (s for s in drawing if s.takes(_is_image)), key=lambda s: s.name != default
    )
    found: list[Panel] = list(map(Images, translating))
    names = models.names_of(metadata)
    for signature in signatures.values():
        if set(signature.asked) == {"seed", "n"}:
            if signature.image:
                found.append(Samples(signature, names))
                if "steps" in signature.usual:
                    found.append(Steps(signature, names))
            elif _is_sound(signature.outputs.get("waveforms")):
                found.append(Sounds(signature, names))
    for signature in signatures.values():
        logits = signature.outputs.get("logits")
        if logits and signature.takes(_is_image) and len(logits["shape"]) == 2:
            count = logits["shape"][1]
            known = names["label"] if len(names["label"]) == count else map(str, range(count))
            found.append(Classes(signature, tuple(known)))
    for signature in drawing:
        if _completes(signature, names["label"]):
            found.append(Completion(signature, names["label"]))
    for signature in drawing:
        if signature.takes(_is_vector):
            encoder = signatures.get("encode")
            able = encoder and encoder.takes(_is_image) and _code(encoder, signature.shape)
            found.append(Latents(signature, encoder if able else None))
    return found


def fitted(
    image: np.ndarray, shape: Sequence[int | None], most: int | None = None
) -> np.ndarray:
    """Prepares an RGB image for a signature with image input `shape`.

    See `models.fitted`. If the signature accepts any size, large images are first downscaled to at
    most `LONGEST` pixels per side and to the maximum number of elements that the export accepts.
    """
    if not any(shape[1:3]):
        pillow = to_pillow(image)
        if most and image.size > most:
            shrunk = math.sqrt(most / image.size)
            width, height = (int(shrunk * side) for side in pillow.size)
            pillow.thumbnail((width, height), Image.Resampling.LANCZOS)
        pillow.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
        image = np.asarray(pillow)
    return models.fitted(image, shape)


def entered(name: str, value: Any, low: Any, high: Any, whole: bool = True) -> float:
    """Returns a number that a visitor entered; raises a ValueError for any other value."""
    if value is None:
        raise ValueError(f"{name} is empty: enter a number.")
    if whole and isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON does not distinguish 1.0 from 1
    try:
        if whole:
            return checked_integer(name, value, low, high)
        return checked_number(name, value, low, high)
    except TypeError as error:
        raise ValueError(str(error)) from None


def words(name: str) -> str:
    """Returns the displayed name of a signature, such as "Photo to monet"."""
    return name.replace("_", " ").capitalize()


def _exports(folder: Path) -> list[Path]:
    """Returns the SavedModels in a folder."""
    if (folder / "saved_model.pb").is_file() or exported.versions(folder):
        return [exported.resolve(folder)]
    inner = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [exported.resolve(path) for path in inner if exported.versions(path)]
    if not found:
        raise FileNotFoundError(
            f"there are no exports in {folder}: expected {folder}/<name>/<version>/saved_model.pb, "
            "as written by `keras-gen train NAME`. Pass another folder."
        )
    return found


def _metadata(path: Path) -> dict[str, Any]:
    """Returns the metadata of an export, or an empty dict if the export cannot be used."""
    try:
        metadata = exported.read_metadata(path)
        panels(metadata), about(path, metadata)
    except (*listing.UNREADABLE, IndexError):
        return {}  # hides damaged exports and exports of other programs
    return metadata


def about(path: Path, metadata: Mapping[str, Any]) -> str:
    """Describes a model: its task, version, training data, and size."""
    data = data_of(metadata)
    count = sum(network["parameters"] for network in metadata.get("networks", {}).values())
    # The folder's name determines the version, because the metadata contains the number of the
    # first export.
    version = path.name if path.name.isdecimal() else metadata["version"]
    facts = [f"trained on {data}" if data else "", f"{count:,} parameters" if count else ""]
    line = ", ".join([f"Version {version}", *filter(None, facts)])
    recipe = recipes().get(metadata.get("recipe", ""))
    return "\n\n".join(filter(None, [listing.summary(recipe), line]))


def _is_sound(spec: Any) -> bool:
    return bool(spec) and len(spec["shape"]) == 3 and spec["shape"][-1] == 1


def _completes(signature: Signature, names: Sequence[str]) -> bool:
    """Returns whether a signature inpaints images of a fixed size."""
    asked = signature.asked
    if not completes(asked) or not all(asked["images"]["shape"][1:3]):
        return False
    return _is_image(asked["images"]) and ("labels" not in asked or bool(names))


def _is_image(spec: Any) -> bool:
    return spec["dtype"] == "uint8" and len(spec["shape"]) == 4 and spec["shape"][-1] in (1, 3)


def _is_vector(spec: Any) -> bool:
    return spec["dtype"] == "float32" and len(spec["shape"]) == 2 and bool(spec["shape"][1])


def _code(encoder: Signature, shape: list[int | None]) -> str:
    """Returns the name of the encoder output that can be decoded; for a distribution, the mean."""
    able = [
        name
        for name, spec in encoder.outputs.items()
        if spec["dtype"] == "float32" and list(spec["shape"]) == shape
    ]
    return "mean" if "mean" in able else able[0] if able else ""


def _one_moved(latents: np.ndarray, value: float) -> np.ndarray:
    """Returns copies of latents, each with a different dimension set to a value."""
    count = min(len(latents), PROBED)
    copies = np.tile(latents, [count, 1])
    copies[range(count), range(count)] = value
    return copies
