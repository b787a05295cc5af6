"""The course of a run: devices, precision, training, images, numbers, export."""

import contextlib
import datetime
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from keras_gen import __version__
from keras_gen.callbacks import Evaluation, SampleGrid, TimeLeft
from keras_gen.files import write_json
from keras_gen.run.curves import loss_curves, write_history
from keras_gen.run.folder import choose_folder, leave_folder
from keras_gen.run.settings import FREE, PLACES, RunSettings, parse
from keras_gen.serving.export import export
from keras_gen.training import TrainingState, averaged_weights, is_chief, make_strategy


class Run:
    """One run of a recipe in a folder of its own.

    The folder holds `config.json`, `history.csv`, `losses.png`, `samples/`, `tensorboard/`,
    `checkpoints/`, `best.keras` if a best model is kept, and, when the run is finished,
    `metrics.json`. Of each further model that is trained it holds a folder with the same.

    Args:
        recipe: Path of the recipe's file; its stem names the run and the export.
        settings: Dataclass derived from `RunSettings`.
        presets: What each preset changes.
        description: The recipe's docstring.
        argv: Flags; the process's by default.

    Raises:
        ValueError: If the folder holds a run already, there is none to go on with, the strategy
            cannot run here, or its replicas cannot share a batch evenly.
        OSError: If the folder cannot be written to.

    Example: see any file in `recipes/`.
    """

    def __init__(self, recipe, settings: type[RunSettings], presets, description, argv=None):
        self.name = Path(recipe).stem
        first = parse(settings, presets, description, argv)
        self.directory, saved = choose_folder(first, self.name)
        self.settings = parse(settings, presets, description, argv, saved) if saved else first
        s = self.settings
        keras.utils.set_random_seed(s.seed)
        if s.deterministic:
            tf.config.experimental.enable_op_determinism()
        self.strategy = self._strategy()
        self.policy = _policy(s.mixed_precision)
        keras.config.set_dtype_policy(self.policy)
        self.notes: list[str] = []
        self.began = time.monotonic()
        self.state: TrainingState | None = None
        self.exported = Path()
        self.say(f"{self.name}, preset {s.preset}, seed {s.seed}, into {self.directory}")
        self.say(f"device: {describe_devices(self.strategy)}, precision {self.policy}")

    def _strategy(self) -> tf.distribute.Strategy:
        s = self.settings
        strategy = make_strategy(s.strategy)
        replicas = strategy.num_replicas_in_sync
        if s.batch_size % replicas == 0:
            return strategy
        if s.strategy == "auto" and "TF_CONFIG" not in os.environ:
            self.say(f"one of {replicas} GPUs is used, since --batch-size is {s.batch_size}")
            return make_strategy("default")
        raise ValueError(
            f"--batch-size {s.batch_size} cannot be shared evenly by {replicas} replicas: choose a "
            f"multiple of {replicas}, or --strategy default."
        )

    def say(self, text: str) -> None:
        """Prints a line, once over all workers."""
        if is_chief():
            print(text, flush=True)

    def note(self, text: str) -> None:
        """Prints a line that is printed again when the run ends."""
        self.notes.append(text)
        self.say(text)

    def describe_data(self, data) -> None:
        """Prints where the data came from, and its warning also when the run ends."""
        for part, text in data.describe().items():
            self.say(f"{part}: {text}")
        if data.warning:
            self.note(data.warning)

    def fit(
        self,
        model,
        stream: Callable,
        draw: Callable | None = None,
        callbacks=(),
        validate: Callable | None = None,
        best: str | None = None,
        mode: str = "min",
        part: str = "",
        epochs: int | None = None,
    ) -> None:
        """Trains with checkpoints, TensorBoard, sample grids, evaluations and the time left.

        A recipe that trains several models calls it once for each, all but the main one with a
        `part`. A run that resumes passes over the parts that are done.

        Args:
            model: Compiled model.
            stream: Function of the number of steps done that returns the infinite dataset from
                there on.
            draw: Function of the model that returns the sample grid, uint8 `[height, width, 3]`.
            callbacks: Further callbacks, whose counters are checkpointed too.
            validate: Function of the model that returns metrics on held-out data, which then stand
                in the logs as `val_` and their name; see `keras_gen.callbacks.Evaluation`.
            best: Name of the metric of `validate` by which `best.keras` is kept.
            mode: Whether its best value is the `"min"` or the `"max"`.
            part: Name of a further model's training, and of the folder it has in the run's; empty
                for the main model, whose losses and steps the run reports.
            epochs: Epochs of a part; those of the settings by default.
        """
        s, epochs = self.settings, epochs or self.settings.epochs
        directory = self.directory / part
        for name, network in model.networks.items():
            self.say(f"{name}: {network.count_params():,} parameters")
        config = {name: value for name, value in s.as_json().items() if name not in FREE}
        config["policy"] = self.policy
        state = TrainingState(directory / "checkpoints", config=config, callbacks=callbacks)
        if not part:
            self.state = state
        if state.epoch:
            self.say(f"going on after epoch {state.epoch} from {state.latest}")
        name = f"training {part}" if part else "training"
        self.say(f"{name}: {epochs} epochs of {s.steps_per_epoch} steps of {s.batch_size}")
        data = stream(state.epoch * s.steps_per_epoch)
        path = directory / "best.keras" if best else None
        evaluation = Evaluation(validate, s.validate_every, best, mode, path) if validate else None
        # Before all that read its numbers. Its best is in its file, so it has no counters to save.
        first = [evaluation] if evaluation else []
        # Keras would put its bar last, and other lines would stand in the middle of it.
        watchers: list = [keras.callbacks.ProgbarLogger(), TimeLeft()]
        if draw:
            watchers.append(SampleGrid(draw, directory / "samples", s.grid_every))
        after: list = []
        if is_chief():
            board = keras.callbacks.TensorBoard(directory / "tensorboard", write_graph=False)
            watchers.append(board)

            def write(*_, **__):
                write_history(directory / "history.csv", state.logs)

            # Also at the start, for the last run may have ended just before it.
            after = [keras.callbacks.LambdaCallback(on_train_begin=write, on_epoch_end=write)]
            # Only now, so that a run with unusable settings is none to go on with.
            write_json(self.directory / "config.json", s.as_json())
        model.fit(
            data,
            epochs=state.epoch if state.stopped else epochs,
            initial_epoch=state.epoch,
            steps_per_epoch=s.steps_per_epoch,
            # A bar for a terminal, a line an epoch for a file.
            verbose=0 if not is_chief() else 1 if sys.stdout.isatty() else 2,
            callbacks=[*first, *callbacks, *watchers, state, *after],
        )
        if evaluation and evaluation.best_value is not None:
            value, epoch = evaluation.best_value, evaluation.best_epoch
            self.say(f"best val_{best}: {value:.6g} after epoch {epoch}, kept in {path}")

    def once(self, name: str, measure: Callable[[], dict]) -> dict:
        """Calls `measure`, unless this run has done so before it was interrupted.

        For sweeps over many short trainings, each of which depends on nothing but its settings.

        Args:
            name: Of what is measured, other than all others of the run.
            measure: Function of no arguments that returns plain JSON values.

        Returns:
            What it returned.
        """
        path = self.directory / "measured" / f"{name}.json"
        if path.exists():
            return json.loads(path.read_text())
        began = time.monotonic()
        with _many_models():
            found = json.loads(json.dumps(measure()))
        if is_chief():
            write_json(path, found)
        numbers = ", ".join(
            f"{key} {value:.4g}" for key, value in found.items() if isinstance(value, int | float)
        )
        self.say(f"{name}: {numbers} ({time.monotonic() - began:.0f} s)")
        return found

    def finish(self, model, evaluate: Callable, data: dict, default: str | None = None) -> dict:
        """Evaluates, draws the curves, exports, and marks the run as finished.

        Args:
            model: The trained model.
            evaluate: Function of the model and of the run's folder that returns the metrics; it is
                called with the averaged weights.
            data: What the model was trained on, for the metadata.
            default: The export's default signature.

        Returns:
            The metrics, with `minutes` and the like added.
        """
        s, state = self.settings, self.state
        assert state is not None, "fit comes before finish"
        smoke = self.directory / "export" if s.preset == "smoke" else Path("saved_models")
        folder = s.export or smoke
        self.say("evaluating on held-out data")
        # All workers evaluate, for they do it together; what the first one writes is kept.
        with averaged_weights(model), tempfile.TemporaryDirectory() as aside:
            metrics = evaluate(model, self.directory if is_chief() else Path(aside))
            metrics |= {
                "seed": s.seed,
                "steps": int(keras.ops.convert_to_numpy(model.step)),
                "minutes": round((time.monotonic() - self.began) / 60, 1),
                "device": describe_devices(self.strategy),
                "policy": self.policy,
                "date": datetime.date.today().isoformat(),
                "versions": {
                    "keras_gen": __version__,
                    "keras": keras.__version__,
                    "tensorflow": tf.__version__,
                },
            }
            self.exported = folder / self.name
            if not is_chief():
                return metrics
            loss_curves(self.directory / "losses.png", state.logs)
            # Whoever gets the model need not know where it was made.
            config = {k: v for k, v in s.as_json().items() if k not in PLACES}
            path = export(
                model, folder, self.name, default=default,
                metadata=dict(recipe=self.name, config=config, data=data, metrics=metrics),
            )  # fmt: skip
        # Written last: its presence says that the run is finished.
        write_json(self.directory / "metrics.json", metrics)
        for name, value in metrics.items():
            self.say(f"  {name}: {value:.4g}" if isinstance(value, float) else f"  {name}: {value}")
        self.say(f"images and numbers: {self.directory}")
        self.say(f"exported: {path}")
        for note in self.notes:
            self.say(note)
        self.say(
            "serve it: docker run -p 8501:8501 -v "
            f'"{path.parent.resolve()}:/models/{self.name}" -e MODEL_NAME={self.name} '
            "tensorflow/serving"
        )
        self.exported = path
        leave_folder(self.directory)
        return metrics


def run_recipe(main: Callable, argv=None) -> None:
    """Calls a recipe's `main` and ends the process with one sentence if something is wrong.

    Args:
        main: Function of the flags.
        argv: Flags; the process's by default.
    """
    try:
        main(argv)
    except KeyboardInterrupt:
        raise SystemExit("\ninterrupted: go on with the same command and --resume") from None
    except (ValueError, TypeError, OSError, FloatingPointError, tf.errors.OpError) as error:
        if "KERAS_GEN_DEBUG" in os.environ:
            traceback.print_exc()
        # Our own sentences about files come with a number that says nothing more.
        plain = error.strerror if isinstance(error, OSError) and not error.filename else None
        text = " ".join((plain or str(error)).split())
        print(
            f"error: {text} (the environment variable KERAS_GEN_DEBUG=1 shows where)",
            file=sys.stderr,
        )
        raise SystemExit(1) from error


def describe_devices(strategy) -> str:
    """One phrase that names the strategy, its replicas and the kind of device."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        kind = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    else:
        kind = f"{os.cpu_count()} CPU cores"
    count = strategy.num_replicas_in_sync
    replicas = "1 replica" if count == 1 else f"{count} replicas"
    return f"{kind}, {type(strategy).__name__.lstrip('_')} with {replicas}"


@contextlib.contextmanager
def _many_models():
    """Keeps TensorFlow from warning that a step is traced anew, as that of each new model is."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)


def _policy(choice: str) -> str:
    if choice == "auto":
        choice = "bfloat16" if _computes_bfloat16() else "none"
    return "float32" if choice == "none" else f"mixed_{choice}"


def _computes_bfloat16() -> bool:
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return details.get("compute_capability", (0, 0)) >= (8, 0)
    with contextlib.suppress(OSError):
        flags = Path("/proc/cpuinfo").read_text()
        return "avx512_bf16" in flags or "amx_bf16" in flags
    return False
