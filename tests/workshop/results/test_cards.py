"""The index of exports, and their model cards."""

import hashlib
import json

import pytest

from keras_gen.serving import index
from keras_gen.workshop.results import write_records
from keras_gen.workshop.results.pages import outdated, update
from toy_results import DATA, make_export, make_record, make_root

pytestmark = pytest.mark.pages

TERMS = {"MNIST": {"license": "CC BY-SA 3.0", "commercial_use": True}}
SIGNATURES = {
    "sample": {
        "inputs": {"n": {"dtype": "int32", "shape": []}},
        "outputs": {"images": {"dtype": "uint8", "shape": [None, 8, 8, 1]}},
    },
    "sample_bytes": {"inputs": {}, "outputs": {}},
}


@pytest.fixture
def root(tmp_path):
    """A repository with a published export."""
    root = make_root(tmp_path)
    write_records(root, "toy", [make_record(note="Short.")])
    largest = {"examples": 1024, "elements": 4096}
    more = {"terms": TERMS, "signatures": SIGNATURES, "largest_request": largest}
    make_export(root / "saved_models" / "toy" / "2", name="toy", version=2, **more)
    update(root)
    return root


def test_an_entry_says_what_an_export_is(root):
    folder = root / "saved_models" / "toy" / "2"
    metadata = (folder / "assets.extra" / "keras_gen.json").read_bytes()
    lines = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in (("assets.extra/keras_gen.json", metadata), ("saved_model.pb", b""))
    )
    entries = json.loads((root / "saved_models" / "index.json").read_text())
    assert entries == {
        "toy": {
            "version": 2,
            "size": len(metadata),
            "sha256": hashlib.sha256(lines.encode()).hexdigest(),
            "license": "Apache-2.0, as far as the terms of its data allow it",
            "data": "toys/1.0.0",
            "terms": TERMS,
            "command": "python recipes/toy.py --preset cpu",
            "figure": {
                "name": "NLL, rate 0.1, nats ↓",
                "ours": "83.90 ± 0.25 (test examples)",
                "beside": "paper: 84",
            },
        }
    }
    assert index.entry_of(folder) == entries["toy"]
    index.verify(folder)


def test_a_card_says_what_a_visitor_must_know(root):
    text = (root / "saved_models" / "toy" / "README.md").read_text()
    assert text.startswith("---\nlibrary_name: keras_gen\nlicense: apache-2.0\n")
    for line in (
        "datasets:\n- mnist\n",
        "Toy, trained on Toys. Toy et al. 2000.",
        "Made by `python recipes/toy.py --preset cpu`: 2 minutes, 2 CPU cores.",
        "| NLL, rate 0.1, nats ↓ | 83.90 ± 0.25 (test examples) | none: a toy | 84 |",
        "\nShort.\n",
        f"- train: {DATA['train']}",
        "- terms of MNIST: CC BY-SA 3.0; commercial use allowed",
        'keras_gen.load("toy")',
        "- `sample`: `n` int32 [] → `images` uint8 [any, 8, 8, 1]",
        "at most 1,024 examples and 4,096 numbers",
    ):
        assert line in text
    assert "sample_bytes" not in text and "rule out commercial" not in text


def test_terms_that_rule_out_commerce_are_the_license(root):
    file = root / "saved_models" / "toy" / "2" / "assets.extra" / "keras_gen.json"
    metadata = json.loads(file.read_text())
    metadata["terms"] = {"CelebA": {"license": "research only", "commercial_use": False}}
    file.write_text(json.dumps(metadata))
    assert {path.name for path in outdated(root)} == {"index.json", "README.md"}
    update(root)
    text = (root / "saved_models" / "toy" / "README.md").read_text()
    assert "license: other\nlicense_name: " in text and "rule out commercial use" in text
    assert "research only; **no commercial use**" in text
