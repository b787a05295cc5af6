"""MoCoGAN draws videos of moving digits, whose shape and motion are codes of their own.

Tulyakov, Liu, Yang, Kautz: "MoCoGAN: Decomposing Motion and Content for Video Generation", CVPR
2018. Videos are 16 frames of 32x32 pixels, in which a digit of MNIST, shrunk to 16x16, moves and
bounces. They are made at run time, other ones in every epoch.

  python recipes/moco_gan_moving_mnist.py                 about 32 minutes on one of two CPU cores
  python recipes/moco_gan_moving_mnist.py --preset smoke  under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper reports no
number on it. Frames are compared with those of videos of training digits, one of each video, in the
features of two classifiers of such frames, of which the worse counts, and by patches. The motion of
the center of brightness (speed, turning, flicker) is compared by earth mover's distances. Videos of
test digits give the floor. The baseline are frames of training videos in random order: right frames
without motion.

Deviation in the cpu preset: R1 in place of batch normalization in the discriminators, which else
are soon sure of every video.

videos.gif shows samples, and recombined.gif the content of the first column with the motion of the
first row.
"""

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import moving_images, resize_cover, small_images
from keras_gen.gan import MoCoGAN
from keras_gen.losses import R1
from keras_gen.media.animations import video_grid, video_strips
from keras_gen.metrics import GenerationEvaluation, motion_distances, trained_extractor
from keras_gen.run import Run, RunSettings, run_recipe


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    frames: int = 16  # Of a video
    content_dim: int = 50  # Dimensions of the content code
    motion_dim: int = 10  # Dimensions of the motion code of a frame
    filters: int = 64  # Channels of the discriminators' first layers; they double with every stage
    learning_rate: float = 2e-4  # Adam's rate for all networks
    r1_weight: float = 0.0
    """Weight of R1, every 8 steps, in place of the discriminators' batch normalization; 0: that."""
    ema: float = 0.0  # Momentum of the generator's weight average, which is evaluated; 0: none
    compared: int = 5000  # Videos that are compared
    classifier_steps: int = 1500
    """Training steps of each classifier whose features frames are compared in."""


PRESETS = {
    "smoke": dict(frames=10, content_dim=4, motion_dim=2, filters=4, r1_weight=0.1, epochs=2,
                  steps_per_epoch=5, batch_size=8, compared=100, classifier_steps=20),
    "cpu": dict(filters=16, learning_rate=5e-4, r1_weight=0.1, ema=0.995, epochs=12,
                steps_per_epoch=250, batch_size=32, grid_every=3),
    "paper": dict(epochs=100, steps_per_epoch=1000, batch_size=32, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    shrunk = (part.map(lambda x, y: (resize_cover(x, 16), y)) for part in (data.train, data.test))
    (train, test), move = shrunk, moving_images(s.frames, size=32)
    with run.strategy.scope():
        sizes = dict(content_dim=s.content_dim, motion_dim=s.motion_dim, filters=s.filters)
        held = dict(normalization=None, penalty=R1(s.r1_weight, every=8)) if s.r1_weight else {}
        model = MoCoGAN.for_videos((s.frames, 32, 32, 1), **sizes, **held, seed=s.seed)
        d_optimizer, g_optimizer = (Adam(s.learning_rate, 0.5) for _ in "dg")
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=run.averaged(g_optimizer))

    videos = partial(train.stream, s.batch_size, s.seed, augment_batch=move)
    run.fit(model, videos, lambda model: video_strips(model.sample(8, seed=0)))

    with run.evaluation(model) as metrics:
        run.say("comparing frames, in the features of two classifiers, and their motion")
        parts = [part.take(s.compared) for part in (train, test)]
        # Of one seed both would have the same motions.
        (real, labels), (held_out, _) = (
            part.arrays(s.seed + number, move) for number, part in enumerate(parts)
        )
        rng = np.random.default_rng(s.seed)
        still = rng.permuted(np.broadcast_to(np.arange(s.frames), real.shape[:2]), axis=1)
        sets = {
            "": model.sample(s.compared, seed=s.seed),
            "floor_": held_out,
            "baseline_": np.take_along_axis(real, still[:, :, None, None, None], axis=1),
        }
        middle = s.frames // 2
        training = partial(trained_extractor, real[:, middle], labels, s.classifier_steps, s.seed)
        extractors = {kind: training(kind=kind) for kind in ("conv", "mlp")}
        evaluate = GenerationEvaluation(extractors, real[:, middle], held_out[:, middle], s.seed)
        for prefix, each in sets.items():
            found = motion_distances(real, each) | evaluate(each[:, middle])
            metrics |= {prefix + name: value for name, value in found.items()}
        for kind, extractor in extractors.items():
            metrics[f"extractor_accuracy_{kind}"] = extractor.accuracy
        run.animate("videos", video_grid(sets[""][:36]))
        latents = model.draw_latents(6, seed=s.seed)
        pairs = np.repeat(latents, 6, axis=0), np.tile(latents, [6, 1])
        run.animate("recombined", video_grid(model.recombine(*pairs), 6))
    run.export(model, default="sample")


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
