"""Few-shot talking heads on drawn faces.

Zakharov, Shysheya, Burkov, Lempitsky: "Few-Shot Adversarial Learning of Realistic Neural Talking
Head Models", ICCV 2019.

  python recipes/talking_heads_drawn_faces.py        at most 120 minutes on one of two CPU cores
  python recipes/talking_heads_drawn_faces.py --preset smoke     under a minute

Expected result of the cpu preset: after fine-tuning on eight images, generated frames of new people
differ from the true frames by 6.8 levels (image with the nearest landmarks: 10.8, and deformed so
that its landmarks match: 5.7).

Faces are drawn at run time, so people and landmarks are known, and generated frames of new people
can be compared with the true frames pixel by pixel. For each test person, T frames are given. The
other frames are generated only from their landmarks, once by the meta-learned networks, and once
after fine-tuning on the T frames. Two additional metrics do not compare pixels. A network trained
on other frames of these people recognizes the person from the middle of the face (otherwise, a
single background pixel would suffice), and a network trained on other people locates the landmarks.

The baselines are the frame with the nearest landmarks among the T frames, which is sharp and shows
the right person in a wrong pose; the same frame after a thin-plate deformation that moves its
landmarks to the target's landmarks; and the mean of the T frames.

Deviations: drawn faces instead of videos, and a pixel distance instead of VGG features. The cpu
preset has 48x48 pixels, fewer channels and steps, and averaged weights in the evaluation.

Data: none; faces are drawn.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import suffixed

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import map_coordinates

from keras_gen.data import Source, Split, drawn_faces, episode
from keras_gen.metrics import l1_error, train_classifier, train_point_reader
from keras_gen.translation import TalkingHeads
from keras_gen.workshop.visualize import image_rows

COLUMNS = 12  # frames per grid row


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    image_size: int = 256  # Side length of the images, in pixels; a multiple of 8
    people: int = 2000  # Number of people in the training set
    frames: int = 32  # Number of frames per person
    shots: int = 8  # Number of frames per person in each training step, K
    embedding_dim: int = 512  # Number of dimensions of a person's embedding
    filters: int = 64  # Channels of the first layers
    learning_rate: float = 5e-5  # Adam's learning rate for the embedder and generator
    d_learning_rate: float = 2e-4  # Adam's learning rate for the discriminator
    pixel_weight: float = 10.0  # Weight of the pixel distance
    ema: float = 0.0
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    test_people: int = 8  # Number of people in the test set
    test_frames: int = 24  # Number of frames to generate per test person
    adapt_steps: int = 40  # Number of fine-tuning steps per test person
    adapt_learning_rate: float = 5e-5  # Adam's learning rate for fine-tuning
    probe_steps: int = 1500
    """Number of training steps for the networks that recognize people and poses."""


PRESETS = {
    "smoke": dict(image_size=16, people=4, frames=4, shots=2, embedding_dim=4, filters=4,
                  epochs=2, steps_per_epoch=5, batch_size=2, test_people=2, test_frames=4,
                  adapt_steps=12, probe_steps=10),
    "cpu": dict(image_size=48, people=300, frames=24, shots=4, embedding_dim=64, filters=16,
                learning_rate=5e-4, d_learning_rate=5e-4, pixel_weight=40.0, ema=0.995,
                adapt_steps=160, adapt_learning_rate=2e-4, epochs=8, steps_per_epoch=500,
                batch_size=8, grid_every=2, steps_per_execution=50),
    "paper": dict(epochs=150, steps_per_epoch=2000, batch_size=8, grid_every=10),
}  # fmt: skip
SMOOTHING = 1e-2  # weight of smoothness in deformations, because landmarks can coincide
MOST_SHOTS = 8  # at test time, T is 1 or this number


def main(run: Run, s: Settings):
    known = drawn_faces(s.people, s.frames, s.image_size, seed=2 * s.seed)
    # The first T frames are given, and the next frames are generated. The rest train the
    # recognizer.
    count = MOST_SHOTS + 2 * s.test_frames
    new = drawn_faces(s.test_people, count, s.image_size, seed=2 * s.seed + 1)
    data = run.load(Split(people_of(known), people_of(new)))
    tested = slice(MOST_SHOTS, MOST_SHOTS + s.test_frames)

    with run.strategy.scope():
        model = TalkingHeads.for_images(
            (s.image_size, s.image_size, 3),
            people=s.people,
            embedding_dim=s.embedding_dim,
            filters=s.filters,
            pixel_weight=s.pixel_weight,
            seed=s.seed,
        )
        g_optimizer = run.averaged(Adam(run.in_halves(s.learning_rate), 0.5))
        d_optimizer = Adam(run.in_halves(s.d_learning_rate), 0.5)
        run.compile(model, g_optimizer=g_optimizer, d_optimizer=d_optimizer)

    def draw(model):
        """Shows new people from eight shots, above their true frames."""
        rows = {}
        for person in range(min(3, s.test_people)):
            shots = slice(person, person + 1), slice(0, MOST_SHOTS)
            embedding = model.embed(new.images[shots], new.landmarks[shots])
            landmarks = new.landmarks[person, tested][:COLUMNS]
            drawn = model.render(landmarks, np.repeat(embedding, len(landmarks), axis=0))
            rows[f"talking heads {person + 1}"] = drawn
            rows[f"true frames {person + 1}"] = new.images[person, tested]
        return image_rows(rows, COLUMNS)

    # Each step: one update of the embedder and the generator, then one update of the discriminator.
    stream = partial(data.train.stream, s.batch_size, s.seed, augment=episode(s.shots))
    run.fit(model, stream, draw)
    run.export(model, default="render")

    run.say("training networks that recognize people and locate landmarks")
    shown = new.images[:, MOST_SHOTS + s.test_frames :]
    labels = np.repeat(np.arange(s.test_people), s.test_frames)
    names = train_classifier(
        middle(flat(shown)), labels, s.test_people, steps=s.probe_steps, seed=s.seed
    )
    reader = train_point_reader(
        flat(known.images), flat(known.points), steps=s.probe_steps, seed=s.seed
    )

    truth = flat(new.images[:, tested])
    points = flat(new.points[:, tested])
    pixels = s.image_size

    def measure(images):
        named = names.predict(middle(images), verbose=0)["logits"].argmax(axis=1)
        read = reader.predict(images, verbose=0)
        return {
            "l1": l1_error(images, truth).mean(),
            "identity": np.mean(named == labels),
            "landmark_error": pixels * np.linalg.norm(read - points, axis=-1).mean(),
        }

    with run.evaluation(model) as metrics:
        metrics |= suffixed(measure(truth), "_frames")
        rows = {}
        for shots in (1, MOST_SHOTS):
            run.say(f"generating images of new people; reference images per person: {shots}")
            ways = {
                "meta": meta_learned(model, new, shots, tested),
                "tuned": fine_tuned(model, new, shots, tested, s),
                "nearest": nearest(new, shots, tested),
                "warped": warped(new, shots, tested),
                "mean": mean_frame(new, shots, tested),
            }
            for name, images in ways.items():
                metrics |= suffixed(measure(images), f"_{name}_{shots}")
            seen = f"{shots} shot" if shots == 1 else f"{shots} shots"
            rows[f"nearest, {seen}"] = ways["nearest"]
            rows[f"meta-learned, {seen}"] = ways["meta"]
            rows[f"fine-tuned, {seen}"] = ways["tuned"]
        run.draw("ways", image_rows({**rows, "true frames": truth}, COLUMNS))


def people_of(faces):
    """Returns a source of people, with all of their frames."""
    numbers = np.arange(len(faces.images))
    return Source((faces.images, faces.landmarks, numbers), origin="drawn faces")


def flat(values):
    """Joins the axes of people and frames."""
    return values.reshape(-1, *values.shape[2:])


def middle(images):
    """Returns the middle of frames, which the faces fill."""
    border = 3 * images.shape[1] // 10
    return images[:, border:-border, border:-border]


def meta_learned(model, new, shots, tested):
    embeddings = model.embed(new.images[:, :shots], new.landmarks[:, :shots])
    landmarks = new.landmarks[:, tested]
    repeated = np.repeat(embeddings, landmarks.shape[1], axis=0)
    return model.render(flat(landmarks), repeated)


def fine_tuned(model, new, shots, tested, s):
    drawn = []
    for images, landmarks in zip(new.images, new.landmarks, strict=True):
        personal = model.adapt(
            images[:shots], landmarks[:shots], s.adapt_steps, s.adapt_learning_rate
        )
        drawn.append(personal.translate(landmarks[tested], batch_size=s.test_frames))
    return np.concatenate(drawn)


def nearest(new, shots, tested):
    """Returns the frame with the nearest landmarks among the person's shots."""
    chosen = nearest_shots(new, shots, tested)
    return flat(np.take_along_axis(new.images, chosen[..., None, None, None], axis=1))


def nearest_shots(new, shots, tested):
    """Returns the number of the shot with the nearest landmarks, `[people, frames]`."""
    apart = new.points[:, tested, None] - new.points[:, None, :shots]
    return np.linalg.norm(apart, axis=-1).mean(axis=-1).argmin(axis=2)


def warped(new, shots, tested):
    """Returns the nearest shots, deformed so that their landmarks match (thin-plate splines)."""
    size = new.images.shape[2]
    grid = (np.stack(np.meshgrid(*2 * [np.arange(size)]), axis=-1).reshape(-1, 2) + 0.5) / size
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    found = []
    for person, chosen in enumerate(nearest_shots(new, shots, tested)):
        for shot, points in zip(chosen, new.points[person, tested], strict=True):
            landmarks = np.concatenate([points, corners])
            sources = np.concatenate([new.points[person, shot], corners])
            places = size * RBFInterpolator(landmarks, sources, smoothing=SMOOTHING)(grid) - 0.5
            channels = np.moveaxis(new.images[person, shot].astype(float), -1, 0)
            pixels = [
                map_coordinates(c, places.T[::-1], order=1, mode="nearest") for c in channels
            ]
            found.append(np.stack(pixels, axis=-1).reshape(size, size, 3))
    return np.stack(found).round().astype(np.uint8)


def mean_frame(new, shots, tested):
    means = new.images[:, :shots].mean(axis=1).round().astype(np.uint8)
    return np.repeat(means, new.images[:, tested].shape[1], axis=0)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
