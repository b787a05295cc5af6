"""Recipes, and the metadata in the exports that the recipes wrote."""

import dataclasses
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from keras_gen.messages import known_names
from keras_gen.serving.exported import METADATA, read_metadata, resolve
from keras_gen.workshop.results.records import recipes_folder


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """An export's record of the run that wrote the export.

    `data` maps each part of the data to a description such as
    `"60000 examples: mnist/3.0.1, split train"`.
    """

    path: Path
    recipe: str
    config: dict[str, Any]
    data: dict[str, str]
    metrics: dict[str, Any]
    versions: dict[str, str] | None
    date: str | None
    id: str | None = None

    def sizes(self, training: bool) -> dict[str, list[int]]:
        """Returns numbers of examples by type of part, for training parts or for all other parts.

        Parts of one type start with the same word; for example, `test_x` and `test_y` are two
        domains of `test`.
        """
        sizes: dict[str, list[int]] = {}
        for part, text in self.data.items():
            count = re.match(r"(\d+) examples\b", text)
            if count and part.startswith("train") == training:
                sizes.setdefault(part.split("_")[0], []).append(int(count[1]))
        return sizes


def read_run(path: str | Path) -> FinishedRun:
    """Reads the metadata of an export from its folder, or from the folder of its versions.

    Raises:
        FileNotFoundError: If the export does not exist.
        ValueError: If the export was not written by a recipe, or if it was trained on an offline
            sample (in this case, its results are not comparable).

    Example:
        >>> read_run("saved_models/vae_mnist/1").recipe
        'vae_mnist'
    """
    path = resolve(path)
    metadata = read_metadata(path)
    config, data, metrics = (metadata.get(key) for key in ("config", "data", "metrics"))
    if not (
        isinstance(metadata.get("recipe"), str)
        and isinstance(config, dict)
        and isinstance(data, dict)
        and isinstance(metrics, dict)
    ):
        raise ValueError(
            f"{path / METADATA} lacks recipe, config, data, or metrics: expected an "
            "export that a recipe wrote."
        )
    if any("offline sample" in str(text) for text in data.values()):
        raise ValueError(
            f"{path} was trained on an offline sample instead of the dataset, so its results "
            "are not comparable: prepare the data and run the recipe again."
        )
    return FinishedRun(
        path,
        metadata["recipe"],
        config,
        data,
        metrics,
        # The metrics of old runs lack the versions and the date, which are in the export's
        # metadata.
        metrics.get("versions") or metadata.get("libraries"),
        metrics.get("date") or (metadata.get("created") or "")[:10] or None,
        metadata.get("run"),
    )


def load_recipe(root: str | Path, name: str) -> ModuleType:
    """Imports the file of a recipe; this also imports TensorFlow.

    Raises:
        FileNotFoundError: If the repository at `root` has no such recipe.
        ValueError: If the recipe lacks `Settings`, `PRESETS`, or `main`.

    Example:
        >>> load_recipe(".", "vae_mnist").Settings().latent_dim
        50
    """
    folder = recipes_folder(root)
    path = folder / f"{name}.py"
    known = sorted(file.stem for file in folder.glob("[!_]*.py"))
    if name not in known:
        raise FileNotFoundError(
            f"there is no recipe {name!r} in {folder}{known_names(name, known)}"
        )
    spec = importlib.util.spec_from_file_location(f"keras_gen_recipe_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # The module is registered, because dataclasses look up the settings' module by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if lacking := [
        name for name in ("Settings", "PRESETS", "main") if not hasattr(module, name)
    ]:
        raise ValueError(f"{path} is not a recipe: it lacks {', '.join(lacking)}.")
    return module
