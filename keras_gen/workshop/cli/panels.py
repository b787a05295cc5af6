"""What `keras-gen demo` offers of exports, by their signatures."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from keras_gen.files.images import grid, to_pillow
from keras_gen.serving import exported
from keras_gen.serving.exported import data_of
from keras_gen.workshop.cli import listing, models
from keras_gen.workshop.cli.complete import HALVES, completes, half
from keras_gen.workshop.cli.names import names_of
from keras_gen.workshop.cli.recipes import recipes

LONGEST = 1024  # pixels of an image's longer side: larger ones take a page too long
MOST = 64  # images of a grid
STEPS = (1, 2, 3, 5, 10, 20, 50)  # of a solver, by which images of one noise are compared
SLIDERS = 10
# Standard deviations of a standard normal prior, to either side of its mean.
REACH = 3
# More dimensions than these would take long to decode, each at both ends.
PROBED = 256
ANY = -1  # the value of such a condition that leaves it open
EFFECTS = {
    "seed": "The same seed gives the same samples.",
    "label": "Class of the samples.",
    "speaker": "Voice of the samples.",
    "psi": "Below 1, samples are more typical and less varied.",
    "temperature": "Below 1, samples are more likely and less varied.",
    "truncation": "Largest latent, in standard deviations: with less, samples vary less.",
    "guidance": "With more, samples match their label better and vary less.",
    "steps": "With more, samples are more accurate and take longer.",
    "solver": "Method that leads noise to samples.",
}
"""What a condition does, by its name."""
# The part of an image that is to be drawn.
MISSING = {f"{name.capitalize()} half": name for name in HALVES}


@dataclasses.dataclass(frozen=True)
class Signature:
    """A signature as the metadata describe it."""

    name: str
    inputs: Mapping[str, Any]  # name -> dtype and shape
    usual: Mapping[str, Any]  # the values of inputs that may be left out
    outputs: Mapping[str, Any]  # name -> dtype and shape
    limits: Mapping[str, Sequence[float]] = dataclasses.field(default_factory=dict)
    """The smallest and the largest value of inputs that are one number."""
    options: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    """What inputs may be that are a name."""

    @property
    def asked(self) -> dict[str, Any]:
        """The inputs that must be given."""
        return {name: spec for name, spec in self.inputs.items() if name not in self.usual}

    @property
    def image(self) -> str:
        """The first output that is images, or nothing."""
        return next((name for name, spec in self.outputs.items() if _is_image(spec)), "")

    def takes(self, kind: Any) -> bool:
        """Whether it asks for one input, and that is of a kind."""
        return [bool(kind(spec)) for spec in self.asked.values()] == [True]

    @property
    def shape(self) -> list[int | None]:
        """The shape of the only input that is asked for."""
        (spec,) = self.asked.values()
        return list(spec["shape"])

    def run(self, model: exported.Exported, value: Any, output: str = "") -> np.ndarray:
        """One output, by default the first images, for the only input that is asked for."""
        (name,) = self.asked
        return model(self.name, **{name: value})[output or self.image]


@dataclasses.dataclass(frozen=True)
class Images:
    """Signatures that turn an image into an image, by name; the default of the export first."""

    signatures: dict[str, Signature]

    @property
    def title(self) -> str:
        """What the only signature does, or what all of them do."""
        return words(next(iter(self.signatures))) if len(self.signatures) == 1 else "Translate"

    @property
    def any_size(self) -> bool:
        """Whether photographs stay as they are, in color and of any size."""
        return all(s.shape == [None, None, None, 3] for s in self.signatures.values())

    def run(
        self, model: exported.Exported, name: str, image: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """An RGB image as a signature takes it, and what that makes of it."""
        most = model.metadata.get("largest_request", {}).get("elements")
        before = fitted(image, self.signatures[name].shape, most)
        return before, self.signatures[name].run(model, before[None])[0]


@dataclasses.dataclass(frozen=True)
class Samples:
    """A signature that turns a seed and a number, and conditions, into images."""

    signature: Signature
    names: Mapping[str, Sequence[str]]  # what the values 0, 1, ... of a condition are called
    title = "Sample"
    most = MOST

    @property
    def conditions(self) -> dict[str, Any]:
        """The usual value of each condition that is one number or name."""
        scalars = {name for name, spec in self.signature.inputs.items() if spec["shape"] == []}
        return {name: value for name, value in self.signature.usual.items() if name in scalars}

    def inputs(self, seed: int | None, n: int, conditions: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs of the signature; a ValueError if one is missing or out of range."""
        if not 1 <= n <= self.most:
            raise ValueError(f"the number to draw is {n}: expected 1 to {self.most}.")
        inputs = dict(conditions) | {"seed": seed, "n": n}
        if empty := [name for name, value in inputs.items() if value is None]:
            raise ValueError(f"{words(empty[0])} is empty: type a number.")
        return inputs

    def run(
        self, model: exported.Exported, seed: int | None, n: int, conditions: Mapping[str, Any]
    ) -> np.ndarray:
        """A grid of n images, 1 to `MOST`."""
        inputs = self.inputs(seed, n, conditions)
        return grid(model(self.signature.name, **inputs)[self.signature.image])


@dataclasses.dataclass(frozen=True)
class Steps(Samples):
    """A signature of a path's solver: the same noise, led to images in few steps and in more."""

    title = "Steps"
    most = 8  # rows of the grid

    @property
    def conditions(self) -> dict[str, Any]:
        """All but the number of steps."""
        return {name: value for name, value in super().conditions.items() if name != "steps"}

    def run(
        self, model: exported.Exported, seed: int | None, n: int, conditions: Mapping[str, Any]
    ) -> np.ndarray:
        """A grid of n rows, 1 to `most`: an image in each number of `STEPS`, from the fewest on."""
        inputs = self.inputs(seed, n, conditions)
        columns = [
            model(self.signature.name, **inputs, steps=steps)[self.signature.image]
            for steps in STEPS
        ]
        return grid(np.concatenate(np.stack(columns, axis=1)), columns=len(STEPS))


@dataclasses.dataclass(frozen=True)
class Sounds(Samples):
    """A signature that turns a seed and a number, and conditions, into sounds."""

    title = "Listen"
    most = models.SOUNDS

    def run(
        self, model: exported.Exported, seed: int | None, n: int, conditions: Mapping[str, Any]
    ) -> np.ndarray:
        """Sounds, 1 to `models.SOUNDS`, one after another: int16 `[samples]`."""
        inputs = self.inputs(seed, n, conditions)
        sounds = model(self.signature.name, **inputs)["waveforms"]
        return models.one_after_another(sounds, models.rate_of(model.metadata))


@dataclasses.dataclass(frozen=True)
class Classes:
    """A signature that gives images logits of classes."""

    signature: Signature
    names: Sequence[str]
    title = "Classify"

    def run(
        self, model: exported.Exported, image: np.ndarray
    ) -> tuple[np.ndarray, dict[str, float]]:
        """An RGB image as the signature takes it, and the probability of each class."""
        before = fitted(image, self.signature.shape)
        logits = self.signature.run(model, before[None], "logits")[0].astype(float)
        odds = np.exp(logits - logits.max())
        return before, dict(zip(self.names, map(float, odds / odds.sum()), strict=True))


@dataclasses.dataclass(frozen=True)
class Completion:
    """A signature that draws what a mask leaves out of an image."""

    signature: Signature
    names: Sequence[str]  # of the classes, if it takes labels
    title = "Complete"

    def run(
        self, model: exported.Exported, image: np.ndarray, missing: str, label: int, n: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """An RGB image with the missing part in gray, and a grid of completions, 1 to `MOST`."""
        if not 1 <= n <= MOST:
            raise ValueError(f"the number to draw is {n}: expected 1 to {MOST}.")
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
    """Where the sliders start."""

    latents: np.ndarray  # float32 `[dimensions]`
    moved: list[int]  # the dimensions that have a slider
    reach: int  # of a slider, to both sides

    def at(self, values: Sequence[float]) -> np.ndarray:
        """The latents with the sliders at some values, each within `reach`."""
        if not all(abs(value) <= self.reach for value in values):
            raise ValueError(
                f"the sliders are at {', '.join(map(str, values))}: expected values from "
                f"-{self.reach} to {self.reach}."
            )
        latents = self.latents.copy()
        latents[self.moved] = values
        return latents


@dataclasses.dataclass(frozen=True)
class Latents:
    """A signature that decodes a vector of latents, and one that encodes if there is one."""

    signature: Signature
    encoder: Signature | None
    title = "Latents"

    @property
    def sliders(self) -> int:
        """How many sliders there are."""
        return min(SLIDERS, self.signature.shape[1] or 0)

    def run(self, model: exported.Exported, latents: np.ndarray) -> np.ndarray:
        """The image of latents `[dimensions]`."""
        return self.signature.run(model, latents[None])[0]

    def start(
        self,
        model: exported.Exported,
        image: np.ndarray | None = None,
        seed: int | None = None,
    ) -> Start:
        """Starts at the latents of an RGB image, at some drawn from a standard normal, or at zeros.

        Sliders get the dimensions that change the decoded image most.
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
    """The exports in folders that have panels, and those that have none. Loads no model.

    Folders are those of exports, of versions of one, or SavedModels.
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
    """What can be done with an export on a page, by what its metadata say of its signatures."""
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
    found: list[Panel] = []
    if translating:
        found.append(Images({s.name: s for s in translating}))
    names = names_of(metadata)
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
    """An RGB image as a signature of images `shape` takes it.

    As `models.fitted`, but images of any size are shrunk to `LONGEST` pixels, and to the elements
    that the export takes at most.
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


def words(name: str) -> str:
    """The name of a signature as it is shown: "Photo to monet"."""
    return name.replace("_", " ").capitalize()


def _exports(folder: Path) -> list[Path]:
    """The SavedModels meant by a folder."""
    if (folder / "saved_model.pb").is_file() or exported.versions(folder):
        return [exported.resolve(folder)]
    inner = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [exported.resolve(path) for path in inner if exported.versions(path)]
    if not found:
        raise FileNotFoundError(
            f"there are no exports in {folder}: expected {folder}/<name>/<version>/saved_model.pb, "
            "which `keras-gen train NAME` writes; name another folder."
        )
    return found


def _metadata(path: Path) -> dict[str, Any]:
    """The metadata of an export; empty where they cannot be used."""
    try:
        metadata = exported.read_metadata(path)
        panels(metadata), about(path, metadata)
    except (*listing.UNREADABLE, IndexError):
        return {}  # a foreign or damaged export is shown by no page
    return metadata


def about(path: Path, metadata: Mapping[str, Any]) -> str:
    """What a model does, which version it is, what it was trained on, and how large it is."""
    data = data_of(metadata)
    count = sum(network["parameters"] for network in metadata.get("networks", {}).values())
    # The folder counts: the metadata have the number under which the export was first written.
    version = path.name if path.name.isdecimal() else metadata["version"]
    facts = [f"trained on {data}" if data else "", f"{count:,} parameters" if count else ""]
    line = ", ".join([f"Version {version}", *filter(None, facts)])
    recipe = recipes().get(metadata.get("recipe", ""))
    return "\n\n".join(filter(None, [listing.summary(recipe), line]))


def _is_sound(spec: Any) -> bool:
    return bool(spec) and len(spec["shape"]) == 3 and spec["shape"][-1] == 1


def _completes(signature: Signature, names: Sequence[str]) -> bool:
    """Whether a signature draws what is missing of images of one size."""
    asked = signature.asked
    if not completes(asked) or not all(asked["images"]["shape"][1:3]):
        return False
    return _is_image(asked["images"]) and ("labels" not in asked or bool(names))


def _is_image(spec: Any) -> bool:
    return spec["dtype"] == "uint8" and len(spec["shape"]) == 4 and spec["shape"][-1] in (1, 3)


def _is_vector(spec: Any) -> bool:
    return spec["dtype"] == "float32" and len(spec["shape"]) == 2 and bool(spec["shape"][1])


def _code(encoder: Signature, shape: list[int | None]) -> str:
    """The output of an encoder that can be decoded: of a distribution the mean."""
    able = [
        name
        for name, spec in encoder.outputs.items()
        if spec["dtype"] == "float32" and list(spec["shape"]) == shape
    ]
    return "mean" if "mean" in able else able[0] if able else ""


def _one_moved(latents: np.ndarray, value: float) -> np.ndarray:
    """Copies of latents, each with another dimension at a value."""
    count = min(len(latents), PROBED)
    copies = np.tile(latents, [count, 1])
    copies[range(count), range(count)] = value
    return copies
