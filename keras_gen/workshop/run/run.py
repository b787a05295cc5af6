"""A run of a recipe, with its data, training, images, metrics, and export."""

import contextlib
import datetime
import json
import os
import random
import re
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gen import __version__
from keras_gen.arguments import shown
from keras_gen.core import (
    ConstantThenLinear,
    TrainingState,
    averaged_weights,
    forget_start,
    is_chief,
    make_strategy,
    take_weights,
)
from keras_gen.core.callbacks import Board, Evaluation, SampleGrid, TimeLeft
from keras_gen.data import Domains, Sets, Source, Split
from keras_gen.data.sets.images import images_needed
from keras_gen.environment import NO_OFFLINE_SAMPLE
from keras_gen.files.animations import write_animation
from keras_gen.files.images import read_image, write_png
from keras_gen.files.reading import read_text
from keras_gen.files.sounds import write_wav
from keras_gen.files.writing import write_json
from keras_gen.keras_internals import new_names
from keras_gen.serving.export import add_metadata, export, load_weights
from keras_gen.serving.exported import Exported, load, read_metadata, resolve, versions
from keras_gen.workshop.run import last_lines
from keras_gen.workshop.run.devices import choose_policy, describe_devices
from keras_gen.workshop.run.flags import (
    FREE,
    PLACES,
    RunSettings,
    own_data,
    own_flags,
    parse,
)
from keras_gen.workshop.run.folder import choose_folder, is_finished, leave_folder, train_on
from keras_gen.workshop.run.progress import Clock, epochs_of, loss_curves, write_history

# Metadata about training, which a run copies from the export whose weights it uses.
OF_TRAINING = ("steps", "minutes", "resumed", "device", "policy", "date", "versions")
# Types of data that consist only of sources, and number of examples per source in a smoke run.
OF_SOURCES = (Split, Domains, Sets)
SMOKE_EXAMPLES = 3000
LINES = 8  # maximum number of progress lines per training run
FRAMES = 60  # maximum number of animation frames per training run


class Run:
    """One run of a recipe in a folder of its own.

    The folder contains `config.json`, `history.csv`, `losses.png`, `samples/`, `tensorboard/`,
    `checkpoints/`, `elapsed.json`, and, if a best model is kept, `best.keras`. When the run has
    finished, it also contains `metrics.json`, `sample_grid.png`, `progress.gif`, any other images
    of the recipe, and the SavedModel in `export/`, unless `--export` specifies another folder. Each
    additional model has a subfolder with the same structure.

    Args:
        recipe: Path of the recipe's file. The stem of the file is the name of the run and of the
            export.
        settings: Dataclass derived from `RunSettings`.
        presets: Dict from each preset to the settings that the preset changes.
        description: The recipe's docstring.
        argv: Command-line flags. If None, uses `sys.argv`.

    Raises:
        ValueError: If the folder already contains a run, if there is no run to resume, if the
            strategy cannot run on this machine, or if the strategy's replicas cannot share a batch
            evenly.
        OSError: If the run's folder is not writable.

    Example: see any file in `recipes/`.
    """

    def __init__(self, recipe, settings: type[RunSettings], presets, description, argv=None):
        self.recipe = Path(recipe)
        self.name = self.recipe.stem
        self.settings = parse(settings, presets, description, argv)
        self.directory, saved = choose_folder(self.settings, self.name)
        self.id = uuid.uuid4().hex
        if saved:
            self.id = saved.pop("run", self.id)
            if not isinstance(self.id, str):
                raise ValueError(
                    f"{self.directory} contains a run with the identifier {shown(self.id)}: "
                    "expected text. Restore its config.json."
                )
            if (recipe := saved.pop("recipe", self.name)) != self.name:
                raise ValueError(
                    f"{self.directory} contains a run of {str(recipe)[:60]}, but this recipe is "
                    f"{self.name}: resume the run with its own recipe, or choose another "
                    "--output."
                )
            self.settings = parse(settings, presets, description, argv, saved)
        s = self.settings
        trained = saved.get("epochs", s.epochs) if saved else s.epochs
        if saved and is_finished(self.directory) and s.epochs == trained:
            raise ValueError(
                f"{self.directory} contains a finished run of {trained} epochs: pass a larger "
                "--epochs to continue training, or choose another --output."
            )
        keras.utils.set_random_seed(s.seed)
        if s.deterministic:
            tf.config.experimental.enable_op_determinism()
        self.strategy = self._strategy()
        self.policy = choose_policy(s.mixed_precision)
        keras.config.set_dtype_policy(self.policy)
        self.notes: list[str] = []
        self.clock = Clock(self.directory)
        self.state: TrainingState | None = None
        self.data: dict[str, str] = {}
        self.identity: dict[str, str] = {}
        self.metrics: dict = {}
        self.trained: dict = {}  # metadata about the training of the weights under evaluation
        self.exported: Path | None = None
        self._presets = presets
        self._is_trained = False
        self._is_measured = False
        self._sample_grid: Callable | None = None
        if s.epochs > trained and is_chief():
            train_on(self.directory, trained)
        if s.preset == "paper":
            steps = s.epochs * s.steps_per_epoch
            self.say(f"the paper's settings require {steps:,} steps; --preset cpu takes minutes")

    def _strategy(self) -> tf.distribute.Strategy:
        s = self.settings
        strategy = make_strategy(s.strategy)
        replicas = strategy.num_replicas_in_sync
        if s.batch_size % replicas == 0:
            return strategy
        if s.strategy == "auto" and "TF_CONFIG" not in os.environ:
            self.say(
                f"using only one of {replicas} GPUs, because --batch-size is {s.batch_size}, "
                f"which is not a multiple of {replicas}"
            )
            return make_strategy("default")
        raise ValueError(
            f"--batch-size is {s.batch_size}: expected a multiple of {replicas}, to share it "
            f"evenly among {replicas} replicas. Change --batch-size, or use --strategy default."
        )

    def say(self, text: str) -> None:
        """Prints a line, but only on the first worker."""
        if is_chief():
            print(text, flush=True)

    def note(self, text: str) -> None:
        """Prints a line immediately, and again at the end of the run."""
        self.notes.append(text)
        self.say(text)

    def load(self, data, whole: bool = False, train: int = 1, test: int = 1):
        """Prints the source of the data, records this source for the export, and returns the data.

        Before training, the data are checked against the requirements of training and evaluation.

        Args:
            data: Datasets with descriptions, as returned by the functions of `keras_gen.data`. If
                the datasets come with a warning, it is printed again when the run ends.
            whole: Whether a smoke run uses all examples instead of only the first examples of each
                part. This is useful for points and shapes, which are computed.
            train: Minimum number of examples in each training part.
            test: Minimum number of examples in each held-out part.

        Returns:
            The data, reduced in a smoke run.

        Raises:
            ValueError: If the data are an offline sample and the environment forbids offline
                samples, or if there are too few examples.
        """
        s = self.settings
        if s.preset == "smoke" and not whole and isinstance(data, OF_SOURCES):
            data = data.first(SMOKE_EXAMPLES)
        if data.warning and NO_OFFLINE_SAMPLE in os.environ:
            raise ValueError(
                f"{data.warning} Published results can be compared only on the published data."
            )
        self._require(data, train, test)
        self.data = data.record()
        sizes = [
            f"{part} {text.split(':')[0]}" for part, text in self.data.items() if part != "name"
        ]
        self.say(
            f"{self.name}, preset {s.preset}, seed {s.seed}, on {self.data['name']}: "
            f"{', '.join(sizes)}"
        )
        self.say(
            f"writing images and metrics to {self.directory}; "
            f"device: {describe_devices(self.strategy)}, precision {self.policy}"
        )
        if data.warning:
            self.note(data.warning)
        self.identity = data.identity()
        return data

    def _require(self, data, train: int, test: int) -> None:
        parts = data.parts()
        for name, source in parts.items():
            held_out = parts.get(name.replace("train", "test"))
            if not name.startswith("train") or held_out is None:
                continue
            if len(source) >= train and len(held_out) >= test:
                continue
            way_out = "choose smaller settings"
            if len(source) < train:
                has_held_out = hasattr(self.settings, "held_out")
                way_out = "lower --batch-size" + " or --held-out" * has_held_out
            if own_data(self.settings):
                way_out = f"provide at least {images_needed(train, test)} images, or {way_out}"
            raise ValueError(
                f"{re.split(r', [0-9]+ of [0-9]+', source.origin)[0]}: found {len(source)} "
                f"training and {len(held_out)} held-out examples, but expected at least {train} "
                f"and {test}. {way_out[0].upper()}{way_out[1:]}."
            )

    def in_halves(
        self, rate: float, epochs: int | None = None, updates: int = 1
    ) -> ConstantThenLinear:
        """Returns a learning rate that is constant for half the steps, then decreases to zero.

        Args:
            rate: Learning rate in the first half of the steps. In the second half, the rate
                decreases linearly.
            epochs: Number of epochs. If None, the setting `epochs` is used.
            updates: Number of optimizer updates per training step. The schedule counts updates, not
                steps.
        """
        steps = (epochs or self.settings.epochs) * self.settings.steps_per_epoch
        return ConstantThenLinear.in_halves(rate, steps * updates)

    def averaged(self, optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
        """Makes an optimizer average the weights with the momentum given by the flag `--ema`.

        The averages, which exclude the initial weights, are used for samples, evaluation, and
        export.
        """
        optimizer.use_ema = self.settings.ema > 0
        optimizer.ema_momentum = self.settings.ema
        if optimizer.use_ema:
            forget_start(optimizer)
        return optimizer

    def compile(self, model, *optimizer, **optimizers) -> None:
        """Compiles a model with the given optimizers and the settings that all recipes share."""
        steps = getattr(self.settings, "steps_per_execution", 1)
        jit = self.settings.jit_compile
        model.compile(*optimizer, **optimizers, steps_per_execution=steps, jit_compile=jit)

    def fit(
        self,
        model,
        data: Source | Callable,
        draw: Callable | None = None,
        *,
        callbacks=(),
        validate: Callable | None = None,
        best: str | None = None,
        mode: str = "min",
        part: str = "",
        epochs: int | None = None,
    ) -> float:
        """Trains with checkpoints, TensorBoard, sample grids, evaluations, and time estimates.

        A recipe that trains several models calls this method once per model, with a `part` for
        every model except the main model. A resumed run skips the parts that are complete.

        Args:
            model: Compiled model.
            data: Source of the examples, which are batched according to the setting `batch_size`.
                Alternatively, a function that maps the number of completed steps to an infinite
                dataset that continues after these steps.
            draw: Function that maps the model to a sample grid, uint8 `[height, width, 3]`.
                `evaluation` also calls the main model's function.
            callbacks: Additional callbacks, whose counters are checkpointed as well.
            validate: Function that maps the model to metrics on held-out data, which are logged
                with the prefix `val_`; see `keras_gen.core.callbacks.Evaluation`.
            best: Metric of `validate` that determines when `best.keras` is replaced.
            mode: Whether the best value of this metric is its `"min"` or its `"max"`.
            part: Name of an additional model's part of the run, and of the part's subfolder in the
                run's folder. Empty for the main model, whose losses and steps the run reports.
            epochs: Number of epochs. If None, the setting `epochs` is used.

        Returns:
            The training time in minutes.
        """
        began = time.monotonic()
        s = self.settings
        if s.weights:
            return self._take_weights(model, draw, part)
        epochs = epochs or s.epochs
        directory = self.directory / part
        state = self._saved_state(model, directory, callbacks)
        if not part:
            self.state = state
            self._sample_grid = draw
        name = f"training {part}" if part else "training"
        length = "1 epoch" if epochs == 1 else f"{epochs} epochs"
        self.say(f"{name}: {length} of {s.steps_per_epoch} steps, batch size {s.batch_size}")

        if s.start_from and not part and not state.epoch:
            load_weights(model, s.start_from)
            self.say(f"starting with the weights of {s.start_from}")
        start = state.epoch * s.steps_per_epoch
        if isinstance(data, Source):
            stream = data.stream(s.batch_size, s.seed, start)
        else:
            stream = data(start)
        path = directory / "best.keras" if best else None
        evaluation = (
            Evaluation(validate, s.validate_every, best, mode, path) if validate else None
        )
        all_callbacks = [
            # This callback must precede all callbacks that read its metrics. Its best value is
            # stored in the file, so there are no counters to save.
            *([evaluation] if evaluation else []),
            *callbacks,
            *self._reports(directory, draw),
            state,
            *self._records(directory, state),
        ]
        if is_chief():
            # The file is written only after all callbacks are created, so that a run with unusable
            # settings cannot be resumed.
            write_json(self.directory / "config.json", self._config())
        model.fit(
            stream,
            epochs=state.epoch if state.stopped else epochs,
            initial_epoch=state.epoch,
            steps_per_epoch=s.steps_per_epoch,
            verbose=0,
            callbacks=all_callbacks,
        )
        if evaluation and evaluation.best_value is not None:
            found = f"{evaluation.best_value:.6g} after epoch {evaluation.best_epoch}"
            self.say(f"best val_{best}: {found}, saved in {path}")
        self._seed(f"after {name}")
        return (time.monotonic() - began) / 60

    def _config(self) -> dict[str, Any]:
        """Returns the contents of `config.json`: the settings, the run, and the recipe."""
        return self.settings.as_json() | {"run": self.id, "recipe": self.name}

    def logged(self, name: str) -> tuple[list[int], list[float]]:
        """Returns the epochs and the values that were logged for a metric of the main model.

        Both lists are empty if the weights came from an export instead of from training.
        """
        logs = self.state.logs if self.state is not None else []
        values = {epoch: log[name] for epoch, log in enumerate(logs, 1) if name in log}
        return list(values), list(values.values())

    def _take_weights(self, model, draw: Callable | None, part: str) -> float:
        """Loads an export's weights instead of training; returns the export's training minutes."""
        path = resolve(self.settings.weights)
        if part:
            raise ValueError(
                f"--weights is {path}, which is one model, but this recipe trains several: leave "
                "out --weights."
            )
        metrics = read_metadata(path)["metrics"]
        # The number of steps is restored, because it determines how far a progressive network has
        # grown.
        model.step.assign(metrics["steps"])
        load_weights(model, path)
        self.trained = {name: metrics[name] for name in OF_TRAINING if name in metrics}
        self._sample_grid = draw
        if is_chief():
            write_json(self.directory / "config.json", self._config())
        self.say(f"evaluating the weights of {path}")
        return metrics["minutes"]

    def _saved_state(self, model, directory: Path, callbacks) -> TrainingState:
        """Returns the checkpoints, from which training can also be resumed."""
        config = {k: v for k, v in self.settings.as_json().items() if k not in FREE}
        config |= {"policy": self.policy, **self.identity}
        state = TrainingState(
            directory / "checkpoints", config, callbacks, may_differ=["epochs"]
        )
        different = state.differences(model)
        if different.pop("epochs", None) and different:
            # Settings that depend on the number of epochs may differ if this number has changed.
            state.may_differ += tuple(different)
            self.note(
                "results differ from the results of a run started with --epochs "
                f"{self.settings.epochs}, because these settings depend on the number of epochs: "
                f"{', '.join(different)}"
            )
        if state.epoch:
            self.say(f"resuming after epoch {state.epoch} from {state.latest}")
        elif lost := epochs_of(directory / "history.csv"):
            raise ValueError(
                f"{directory} contains losses up to epoch {lost}, but no checkpoint: restore "
                "checkpoints/, or choose another --output to start over."
            )
        return state

    def _reports(self, directory: Path, draw: Callable | None) -> list[keras.callbacks.Callback]:
        """Returns callbacks that show training progress on the screen and in TensorBoard."""
        reports = [TimeLeft(LINES)]
        if draw:
            every = self.settings.grid_every
            reports.append(SampleGrid(draw, directory / "samples", every, LINES))
        if is_chief():
            board = directory / "tensorboard"
            reports.append(keras.callbacks.TensorBoard(board, write_graph=False))
            reports.append(Board(board, self.settings.as_json(), directory / "samples"))
        return reports

    def _records(self, directory: Path, state: TrainingState) -> list[keras.callbacks.Callback]:
        """Returns callbacks that write the losses and the minutes after each checkpoint."""

        def write(*_, **__):
            write_history(directory / "history.csv", state.logs)
            self.clock.save()

        # Records are also written at the start, because the last process may have ended just before
        # writing.
        records = keras.callbacks.LambdaCallback(on_train_begin=write, on_epoch_end=write)
        return [records] if is_chief() else []

    def restore_best(self, model, part: str = "") -> None:
        """Loads the weights of `best.keras`, which `fit` saved because of its argument `best`.

        Args:
            model: Model trained by `fit`.
            part: Argument `part` of the call to `fit` that trained the model.
        """
        take_weights(model, keras.saving.load_model(self.directory / part / "best.keras"))

    def once(self, name: str, measure: Callable[..., dict], *arguments) -> dict:
        """Calls `measure`, unless this run already called it before an interruption.

        This method is for sweeps over many short training runs. Each measurement depends only on
        its name and the settings, because the method resets the numbering of layer names, and all
        randomness without a seed of its own (such as initial weights), before and after each
        measurement. An interrupted run therefore obtains the same results as an uninterrupted run.

        Args:
            name: Name of the measurement, unique within the run.
            measure: Function that returns JSON values.
            *arguments: Arguments passed to `measure`.

        Returns:
            The value returned by `measure`.
        """
        path = self.directory / "measured" / f"{name}.json"
        if path.exists():
            self._seed(f"after {name}")
            return json.loads(read_text(path))
        began = time.monotonic()
        self._seed(name)
        with _many_models(), new_names():
            found = json.loads(json.dumps(measure(*arguments)))
        self._seed(f"after {name}")
        if is_chief():
            write_json(path, found)
            self.clock.save()
        numbers = {k: v for k, v in found.items() if isinstance(v, int | float)}
        text = ", ".join(f"{key} {value:.4g}" for key, value in numbers.items())
        self.say(f"{name}: {text} ({time.monotonic() - began:.0f} s)")
        return found

    def _seed(self, name: str) -> None:
        """Seeds all randomness without a seed of its own, based on the run's seed and a name."""
        keras.utils.set_random_seed((self.settings.seed + zlib.crc32(name.encode())) % 2**32)

    def each_seed(self, name: str, measure: Callable[[int], dict], count: int) -> list[dict]:
        """Calls `measure` through `once` for each of `count` seeds, from the run's seed up.

        Args:
            name: Name of the measurement, with {} in place of the seed.
            measure: Function that maps a seed to JSON values.
            count: Number of seeds.
        """
        first = self.settings.seed
        return [
            self.once(name.format(seed), measure, seed) for seed in range(first, first + count)
        ]

    @contextlib.contextmanager
    def evaluation(self, model):
        """Opens a block in which metrics are collected and averaged weights are in effect.

        All workers take part in the evaluation, and the first worker writes the results. The sample
        grid is drawn one last time.

        Args:
            model: Trained main model.

        Yields:
            The dict of metrics, which are JSON values or NumPy numbers. `keras-gen list` shows the
            first metric.
        """
        self.say("evaluating on held-out data")
        with averaged_weights(model):
            if self._sample_grid:
                self.draw("sample_grid", self._sample_grid(model))
            yield self.metrics
        numbers = {k: v.item() for k, v in self.metrics.items() if isinstance(v, np.generic)}
        self.metrics |= numbers | self._training(model)
        self._is_measured = True
        if self.exported is not None:
            self._finish(self.exported)

    def _training(self, model) -> dict[str, Any]:
        """Returns metadata about the training of the main model."""
        found = {
            "seed": self.settings.seed,
            "steps": int(keras.ops.convert_to_numpy(model.step)),
            "minutes": round(self.clock.minutes, 1),
            "device": describe_devices(self.strategy),
            "policy": self.policy,
            "date": datetime.date.today().isoformat(),
            "versions": {
                "keras_gen": __version__,
                "keras": keras.__version__,
                "tensorflow": tf.__version__,
            },
        }
        if self.clock.resumed:
            found["resumed"] = True
        return found | self.trained

    def draw(self, name: str, image) -> None:
        """Writes an image, uint8 `[height, width, 3]`, as `<name>.png` to the run's folder.

        The file records the ID of the run, so that no page shows an image next to another run's
        results.

        Raises:
            ValueError: If the name is "losses", which `export` uses for the training losses.
        """
        if name == "losses":
            raise ValueError(
                "name is 'losses': expected another name, because losses.png shows the "
                "training losses."
            )
        if is_chief():
            write_png(self.directory / f"{name}.png", image, {"run": self.id})

    def animate(self, name: str, frames, milliseconds: int = 100) -> None:
        """Writes images, uint8 `[n, height, width, 3]`, as `<name>.gif` to the run's folder."""
        if is_chief():
            write_animation(self.directory / f"{name}.gif", frames, milliseconds=milliseconds)

    def write_sounds(self, name: str, waveforms, rate: int) -> None:
        """Writes sounds, `[n, samples, 1]`, in sequence as `<name>.wav` to the run's folder."""
        if is_chief():
            write_wav(self.directory / f"{name}.wav", waveforms, rate)

    def export(self, model, default: str | None = None, half: bool = False) -> Path | None:
        """Exports the trained model before evaluation, so that it survives a failed evaluation.

        `evaluation` later adds the metrics to the export, and marks the run as finished.

        Args:
            model: Trained main model.
            default: Default signature of the export.
            half: Whether to store the weights as float16, for large networks; see
                `keras_gen.serving.export`.

        Returns:
            Folder of the export on the first worker, which writes the export; None on all others.
        """
        self._is_trained = True
        if not is_chief():
            return None
        path = self.exported = self._exported(model, default, half)
        if self.state is not None:
            loss_curves(self.directory / "losses.png", self.state.logs)
        grids = sorted((self.directory / "samples").glob("epoch-*.png"))
        if len(grids) > 1:
            shown = grids[:: -(-len(grids) // FRAMES)]
            write_animation(self.directory / "progress.gif", map(read_image, shown))
        if self._is_measured:
            self._finish(path)
        return path

    def _finish(self, path: Path) -> None:
        """Adds the metrics to the export, marks the run as finished, and prints the final lines."""
        add_metadata(path, {"metrics": self.metrics})
        # The metrics are written last, because their file marks the run as finished.
        write_json(self.directory / "metrics.json", self.metrics)
        if self.settings.preset == "smoke":
            lines = last_lines.made(self.directory)
        else:
            config = self.settings.as_json()
            lines = last_lines.numbers(self.recipe, self.metrics, config)
            lines += last_lines.pictures(self.directory)
        lines += [f"export: {path}", *self.notes, *last_lines.usage(path)]
        published = self._published()
        if published and published.resolve() != path.parent.resolve():
            there = last_lines.usage(resolve(published))
            lines += [f"published model, {line}" for line in there]
        flags = own_flags(self.settings, self._presets)
        lines += last_lines.longer(self.recipe, self.metrics["minutes"], flags)
        for line in lines:
            self.say(line)
        leave_folder(self.directory)

    @contextlib.contextmanager
    def telling_the_way_on(self) -> Iterator[None]:
        """Adds a note about how to continue to an interrupt, or to an error after training."""
        try:
            yield
        except KeyboardInterrupt as end:
            end.add_note(self._way_on())
            raise
        except Exception as error:
            if self._is_trained:
                error.add_note(f"Nothing is lost: {self._way_on()}.")
            raise

    def _way_on(self) -> str:
        again = last_lines.resuming(self.recipe, self.directory)
        if self.exported is not None:
            weights = self.state.latest if self.state is not None else self.settings.weights
            return (
                f"the trained model is exported to {self.exported}, and its weights are in "
                f"{weights}; evaluate it with {again}"
            )
        if (self.directory / "config.json").exists():
            return f"resume with {again}"
        return "nothing has been trained yet; rerun the same command"

    def published_export(self) -> Exported | None:
        """Returns the recipe's published export for comparison, or None for a user's own data."""
        folder = self._published()
        return load(folder) if folder else None

    def _published(self) -> Path | None:
        folder = self.recipe.parent.parent / "saved_models" / self.name
        return folder if versions(folder) and not own_data(self.settings) else None

    def _exported(self, model, default: str | None, half: bool) -> Path:
        """Writes the export, unless it was written just before the run was interrupted."""
        s = self.settings
        folder = s.export or self.directory / "export"
        for path in versions(folder / self.name).values() if s.resume else ():
            there = read_metadata(path)
            # A run that continued an earlier run also has exports with fewer epochs.
            if there.get("run") == self.id and there["config"]["epochs"] == s.epochs:
                return path
        metadata = dict(
            recipe=self.name,
            run=self.id,
            # Paths are omitted, so that the export does not reveal the folders of the machine that
            # trained it.
            config={k: v for k, v in s.as_json().items() if k not in PLACES},
            data=self.data,
            own_data=own_data(s),
            metrics=self.metrics | self._training(model),
        )
        with averaged_weights(model), new_names(), _same_seeds():
            return export(model, folder, self.name, default, metadata, half=half)


@contextlib.contextmanager
def _same_seeds() -> Iterator[None]:
    """Ensures that the block does not change the seeds of layers built after it."""
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


@contextlib.contextmanager
def _many_models():
    """Silences TensorFlow's retracing warning, because each new model's step must be traced."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)
