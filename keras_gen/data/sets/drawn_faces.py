"""Synthetic faces: people with different appearances, in frames with different poses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from keras_gen.arguments import checked_array, checked_integer
from keras_gen.checked_arguments import checked_types

_FINER = 4  # factor by which a face is drawn larger before it is downscaled
_SKIN = np.array(
    [[250, 220, 195], [232, 190, 155], [198, 145, 105], [140, 92, 62], [95, 60, 42]]
)
_HAIR = np.array([[35, 28, 25], [90, 58, 35], [165, 115, 60], [225, 195, 120], [150, 60, 35]])
_EYES = np.array([[70, 110, 160], [80, 120, 70], [85, 55, 35], [110, 110, 110]])
# Colors of the landmarks: each part is a line with its own color, as in the paper's maps.
PARTS = {
    "jaw": (255, 255, 255),
    "left_brow": (255, 128, 0),
    "right_brow": (255, 255, 0),
    "left_eye": (0, 128, 255),
    "right_eye": (0, 255, 255),
    "nose": (0, 255, 0),
    "mouth": (255, 0, 128),
}
_CLOSED = ("left_eye", "right_eye", "mouth")  # landmarks whose lines are closed


class FaceFrames(NamedTuple):
    """Frames of several people, with facial landmarks.

    Args:
        images: Frames, uint8 `[people, frames, size, size, 3]`.
        landmarks: Images of the landmark lines, with the same shape as `images`.
        points: Coordinates of the landmarks, x and y from 0 to 1, float32 `[people, frames, points,
            2]`.
    """

    images: np.ndarray
    landmarks: np.ndarray
    points: np.ndarray


@checked_types
def drawn_faces(people: int, frames: int, size: int = 48, seed: int = 0) -> FaceFrames:
    """Draws faces with known identities and poses.

    People differ in the colors of skin, hair, eyes, lips, and background, in the shapes of the face
    and its features, and in whether they have bangs or a beard. Frames of a person differ in the
    position, roll, and yaw of the head, and in the expression of the eyes, brows, and mouth.
    Differences in shape between people are also visible in the landmarks.

    Args:
        people: Number of people.
        frames: Number of frames per person.
        size: Side length of the images in pixels.
        seed: Seed for the people and their poses. A different seed results in different people.

    Example:
        >>> drawn_faces(people=3, frames=2).images.shape
        (3, 2, 48, 48, 3)
    """
    for name, value in (("people", people), ("frames", frames), ("size", size)):
        checked_integer(name, value, minimum=1)
    rng = np.random.default_rng(seed)
    images = np.empty([people, frames, size, size, 3], np.uint8)
    landmarks = np.empty_like(images)
    points = []
    for person in range(people):
        looks = _looks(rng)
        for frame in range(frames):
            lines = _lines(looks, _pose(rng))
            images[person, frame] = _face(looks, lines, size)
            landmarks[person, frame] = _map(lines, size)
            points.append(np.concatenate([lines[part] for part in PARTS]))
    coordinates = np.reshape(points, [people, frames, -1, 2]).astype(np.float32)
    return FaceFrames(images, landmarks, coordinates)


def _looks(rng) -> dict:
    """Returns the attributes shared by all frames of a person."""
    skin = _SKIN[rng.integers(len(_SKIN))] + rng.normal(0, 6, 3)
    return {
        "skin": skin,
        "hair": _HAIR[rng.integers(len(_HAIR))] + rng.normal(0, 8, 3),
        "eyes": _EYES[rng.integers(len(_EYES))] + rng.normal(0, 6, 3),
        "lips": 0.55 * skin + 0.45 * np.array([190, 40, 60]),
        "background": rng.uniform(40, 230, 3),
        "width": rng.uniform(0.24, 0.32),
        "height": rng.uniform(0.33, 0.39),
        "eye_distance": rng.uniform(0.36, 0.48),
        "eye_width": rng.uniform(0.15, 0.21),
        "brow_width": rng.uniform(0.012, 0.03),
        "nose_length": rng.uniform(0.3, 0.45),
        "mouth_width": rng.uniform(0.25, 0.4),
        "fringe": rng.uniform(-0.95, -0.5),
        "long_hair": rng.random() < 0.5,
        "beard": rng.random() < 0.3,
    }


def _pose(rng) -> dict:
    """Returns the attributes that change between frames."""
    return {
        "center": 0.5 + rng.uniform(-0.05, 0.05, 2),
        "roll": rng.uniform(-0.3, 0.3),
        "turn": rng.uniform(-0.35, 0.35),
        "nod": rng.uniform(-0.2, 0.2),
        "open_mouth": max(0.0, rng.uniform(-0.06, 0.16)),
        "smile": rng.uniform(-0.06, 0.1),
        "open_eyes": rng.uniform(0.02, 0.1),
        "brows": rng.uniform(-0.05, 0.08),
    }


def _lines(looks: dict, pose: dict) -> dict[str, np.ndarray]:
    """Returns the landmarks of each part, `[points, 2]`, as fractions of the image size."""
    angles = np.linspace(0, np.pi, 9)
    lines = {"jaw": np.stack([np.cos(angles), np.sin(angles)], axis=1)}
    around = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    for side, name in ((-1, "left"), (1, "right")):
        x = side * looks["eye_distance"]
        across = np.array([-1.2, 0, 1.2]) * looks["eye_width"]
        arch = np.array([0, -0.05, 0])
        height = -0.38 - pose["brows"]
        lines[f"{name}_brow"] = np.stack([x + across, height + arch], axis=1)
        eye = [
            x + looks["eye_width"] * np.cos(around),
            -0.2 + pose["open_eyes"] * np.sin(around),
        ]
        lines[f"{name}_eye"] = np.stack(eye, axis=1)
    tip = -0.2 + looks["nose_length"]
    lines["nose"] = np.array([[0, -0.15], [0.05, tip], [-0.05, tip]])
    around = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    across = looks["mouth_width"] * np.cos(around)
    lips = 0.04 + pose["open_mouth"]
    down = 0.52 + lips * np.sin(around) - pose["smile"] * np.abs(np.cos(around))
    lines["mouth"] = np.stack([across, down], axis=1)
    return {
        name: _placed(line, looks, pose, inner=name != "jaw") for name, line in lines.items()
    }


def _placed(line, looks, pose, inner=True) -> np.ndarray:
    """Rotates and moves points of a face whose outline is a circle of radius 1."""
    x, y = np.transpose(line)
    if inner:
        # When a head turns, points in the middle of the face move most, and points on the outline
        # do not move.
        x = x + pose["turn"] * (1 - x**2)
        y = y + pose["nod"] * (1 - y**2)
    x = x * looks["width"]
    y = y * looks["height"]
    cosine = np.cos(pose["roll"])
    sine = np.sin(pose["roll"])
    turned = np.stack([cosine * x - sine * y, sine * x + cosine * y], axis=1)
    return turned + pose["center"]


def _face(looks: dict, lines: dict, size: int) -> np.ndarray:
    """Draws an image of a person, with the parts of the face at the given lines."""
    side = _FINER * size
    image = Image.new("RGB", (side, side), _color(looks["background"]))
    draw = ImageDraw.Draw(image)
    jaw = lines["jaw"]
    right = jaw[0]
    left = jaw[-1]
    center = (left + right) / 2
    across = (right - left) / 2
    chin = jaw[len(jaw) // 2] - center

    def on_face(points):
        """Converts face coordinates to pixels."""
        points = checked_array("points", points)
        placed = center + points[:, :1] * across + points[:, 1:] * chin
        return [tuple(point) for point in placed * side]

    def arc(start, end, width=1.0, height=1.0):
        angles = np.linspace(start, end, 40)
        return np.stack([width * np.cos(angles), height * np.sin(angles)], axis=1)

    def pixels(line):
        return [tuple(point) for point in line * side]

    whole = arc(0, 2 * np.pi)
    hair = arc(np.pi, 2 * np.pi, 1.15, 1.2)
    ends = 1.0 if looks["long_hair"] else 0.0
    hair = np.concatenate([hair, [[1.15, ends], [-1.15, ends]]])
    draw.polygon(on_face(hair), fill=_color(looks["hair"]))
    draw.polygon(on_face(whole), fill=_color(looks["skin"]))
    if looks["beard"]:
        beard = np.concatenate([arc(0.1, np.pi - 0.1), [[-0.6, 0.3], [0.6, 0.3]]])
        draw.polygon(on_face(beard), fill=_color(0.7 * looks["hair"] + 0.3 * looks["skin"]))
    limit = np.arcsin(-looks["fringe"])
    draw.polygon(on_face(arc(np.pi + limit, 2 * np.pi - limit)), fill=_color(looks["hair"]))
    for name in ("left", "right"):
        eye = lines[f"{name}_eye"]
        draw.polygon(pixels(eye), fill=(245, 245, 245))
        middle = eye.mean(axis=0)
        radius = min(0.012 + 0.5 * np.ptp(eye[:, 1]), 0.025)
        corners = [*((middle - radius) * side), *((middle + radius) * side)]
        draw.ellipse(corners, fill=_color(looks["eyes"]))
        brow_width = max(1, round(looks["brow_width"] * side))
        draw.line(
            pixels(lines[f"{name}_brow"]), fill=_color(0.8 * looks["hair"]), width=brow_width
        )
    draw.line(pixels(lines["nose"]), fill=_color(0.75 * looks["skin"]), width=max(1, side // 70))
    mouth = lines["mouth"]
    draw.polygon(pixels(mouth), fill=_color(looks["lips"]))
    within = mouth.mean(axis=0) + 0.55 * (mouth - mouth.mean(axis=0))
    draw.polygon(pixels(within), fill=(60, 20, 25))
    return np.asarray(image.resize((size, size), Image.Resampling.BOX))


def _map(lines: dict, size: int) -> np.ndarray:
    """Draws the landmarks as lines on black, with the color of each part."""
    side = _FINER * size
    image = Image.new("RGB", (side, side))
    draw = ImageDraw.Draw(image)
    for name, color in PARTS.items():
        line = [tuple(point) for point in lines[name] * side]
        closed = line[:1] if name in _CLOSED else []
        draw.line(line + closed, fill=color, width=max(1, side // 50))
    return np.asarray(image.resize((size, size), Image.Resampling.BOX))


def _color(values) -> tuple[int, ...]:
    return tuple(int(value) for value in np.clip(np.round(values), 0, 255))
