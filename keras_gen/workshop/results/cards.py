"""The index of the exports in `saved_models/`, and a model card for each export."""

import json
from pathlib import Path
from typing import Any

from keras_gen.licenses import TERMS
from keras_gen.serving import exported, index
from keras_gen.workshop.results import words
from keras_gen.workshop.results.declarations import filled
from keras_gen.workshop.results.page_lines import Entry, Group

MODELS = "saved_models"
CARD = "README.md"


def texts(root: Path, groups: dict[str, list[Group]]) -> dict[Path, str]:
    """Returns a dict that maps the index and each model card in a repository to its text.

    Args:
        root: The repository's root.
        groups: Dict from the name of each recipe to its published runs.
    """
    models = root / MODELS
    names = exported.exports(models)
    entries = {}
    made = {}
    for name in names:
        path = exported.resolve(models / name)
        metadata = exported.read_metadata(path)
        run = _exported(groups.get(name, []))
        entries[name] = _entry(path, metadata, run)
        made[models / name / CARD] = card(name, entries[name], metadata, run)
    if names:
        made[models / index.INDEX] = json.dumps(entries, indent=2, ensure_ascii=False) + "\n"
    return made


def _exported(own: list[Group]) -> Group | None:
    """Returns a group with only the exported run, or None if this run is not published."""
    for group in own:
        if group.exported:
            return Group(group.recipe, group.published, (group.exported,))
    return None


def _entry(path: Path, metadata: dict[str, Any], run: Group | None) -> dict[str, Any]:
    """Returns an export's entry in the index."""
    data = metadata.get("data", {})
    entry = {
        "version": int(path.name),
        "size": sum(file.stat().st_size for file in index.files(path)),
        "sha256": index.sha256(path),
        "license": "Apache-2.0, as far as the terms of its data allow it",
        "data": data.get("name", "") if isinstance(data, dict) else str(data),
        "terms": metadata.get("terms", {}),
    }
    if run:
        headline = run.entries[0]
        name, ours = words.headline(headline)
        beside = words.beside(headline).replace("*", "")
        entry["command"] = headline.record.command
        entry["figure"] = {"name": name, "ours": ours, "beside": beside}
    return entry


def card(name: str, entry: dict[str, Any], metadata: dict[str, Any], run: Group | None) -> str:
    """Returns a model card in Markdown with front matter for the Hugging Face Hub."""
    parts = [_front_matter(entry), f"# {name}\n"]
    if run:
        dataset = filled(run.published.dataset, run.record.numbers)
        parts.append(f"{run.published.system}, trained on {dataset}. {run.published.paper}.\n")
    parts.append(
        f"Version {entry['version']}, {entry['size'] / 1e6:.1f} MB, SHA-256 "
        f"`{entry['sha256']}`.\n"
    )
    if run:
        record = run.record
        parts += [
            f"Made by `{record.command}`: {record.minutes:,.0f} minutes, {record.device}.\n",
            "## Results\n",
            "↓ means that lower is better, and ↑ that higher is better.\n",
            _table(run.entries),
            "",
        ]
        parts += [f"{record.note.rstrip('.')}.\n"] if record.note else []
    parts += [
        "## Data and terms\n",
        *[f"- {part}: {text}" for part, text in _data(metadata).items()],
        *[f"- {_terms(set_, own)}" for set_, own in entry["terms"].items()],
        f"- code and weights: {entry['license']}\n",
        "## Use\n",
        _use(name),
        "## Signatures\n",
        *_signatures(metadata),
        "",
        "## Limits\n",
        *_limits(entry, metadata),
    ]
    return "\n".join(parts) + "\n"


def _front_matter(entry: dict[str, Any]) -> str:
    license_ = "apache-2.0"
    if any(own["commercial_use"] is not True for own in entry["terms"].values()):
        license_ = "other\nlicense_name: apache-2.0-and-terms-of-the-data"
    names = [key for key, terms in TERMS.items() if terms.name in entry["terms"]]
    lines = ["---", "library_name: keras_gen", f"license: {license_}"]
    if names:
        lines += ["datasets:", *[f"- {name}" for name in names]]
    lines += ["tags:", "- keras", "- tensorflow", "- generative-model"]
    return "\n".join([*lines, "---"])


def _table(figures: list[Entry]) -> str:
    rows = ["| metric | result | baseline | paper |", "|-|-|-|-|"]
    for figure in figures:
        cells = (
            words.metric(figure),
            words.value(figure),
            words.baseline(figure),
            words.paper_value(figure),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _data(metadata: dict[str, Any]) -> dict[str, str]:
    data = metadata.get("data", {})
    return data if isinstance(data, dict) else {"data": str(data)}


def _terms(name: str, terms: dict[str, Any]) -> str:
    uses = {
        True: "commercial use allowed",
        False: "**no commercial use**",
        None: "ask the authors",
    }
    return f"terms of {name}: {terms['license']}; {uses[terms['commercial_use']]}"


def _use(name: str) -> str:
    folder = f"{MODELS}/{name}"
    return f"""\
To continue training in Python:

```python
import keras_gen

model = keras_gen.load("{name}")
```

To call the model without its class:

```python
from keras_gen.serving.exported import load

model = load("{folder}")
```

To serve:

```
docker run -p 8501:8501 -v "$PWD/{folder}:/models/{name}" -e MODEL_NAME={name} tensorflow/serving
```
"""


def _signatures(metadata: dict[str, Any]) -> list[str]:
    lines = []
    for name, own in metadata.get("signatures", {}).items():
        if not name.endswith(exported.SUFFIX):
            inputs, outputs = _tensors(own["inputs"]), _tensors(own["outputs"])
            lines.append(f"- `{name}`: {inputs} → {outputs}")
    return lines


def _tensors(specs: dict[str, Any]) -> str:
    def sizes(shape: list[int | None]) -> str:
        return ", ".join("any" if size is None else str(size) for size in shape)

    return "; ".join(f"`{k}` {s['dtype']} [{sizes(s['shape'])}]" for k, s in specs.items())


def _limits(entry: dict[str, Any], metadata: dict[str, Any]) -> list[str]:
    """Returns the limitations of an export and the restrictions on its use."""
    lines = [
        "- The model handles only data that resemble its training data; its output for other data "
        "means little.",
        "- Only the metrics above were evaluated, not biases of the data or potential harm.",
    ]
    if any(own["commercial_use"] is False for own in entry["terms"].values()):
        lines.append("- The terms of the training data rule out commercial use.")
    largest = metadata.get("largest_request")
    if largest:
        lines.append(
            f"- A request contains at most {largest['examples']:,} examples and "
            f"{largest['elements']:,} numbers or bytes per input."
        )
    steps = metadata.get("largest_request_of", {}).get("sample", {}).get("steps")
    if steps:
        lines.append(
            f"- A request to `sample` accepts at most {steps:,} steps, counted over all samples."
        )
    return lines
