"""Terms of data sets: found by the descriptions of data, and the same as in docs/licenses.md."""

from pathlib import Path

import pytest

from keras_gen.licenses import TERMS, as_json, forbid_commerce, terms_of
from keras_gen.serving.exported import read_metadata, resolve

pytestmark = pytest.mark.pages

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ({"name": "mnist/3.0.1", "train": "60000 examples: mnist/3.0.1, split train"}, ["MNIST"]),
        ({"train_x": "800 examples: cycle_gan/monet2photo/3.0.0, split trainB"}, ["monet2photo"]),
        ({"train": "squares of 271 T91 and bsds500_half"}, ["T91", "BSDS500"]),
        ("usps", ["USPS"]),
        ("shapes drawn at run time", []),
        ({"train": "900 examples: my_mnist"}, []),
        (None, []),
    ],
)
def test_data_sets_are_found_in_descriptions(data, names):
    assert [terms.name for terms in terms_of(data)] == names


def test_what_is_not_stated_is_no_refusal():
    assert forbid_commerce(terms_of({"train": "celeb_a/2.1.0", "test": "mnist/3.0.1"}))
    assert not forbid_commerce(terms_of("cifar10/3.0.2 and mnist/3.0.1"))
    assert as_json("cifar10") == {"CIFAR-10": {"license": "not stated", "commercial_use": None}}


def test_the_page_of_licenses_says_the_same():
    """Its bold terms are those that rule out commercial use."""
    said = {}
    for line in (ROOT / "docs" / "licenses.md").read_text().splitlines():
        if line.startswith("| "):
            names, _, license = line.split("|")[1:4]
            said |= dict.fromkeys(names.strip().split(", "), license)
    for terms in TERMS.values():
        assert ("**" in said[terms.name]) == (terms.commercial_use is False), terms


def test_committed_exports_carry_the_terms_of_their_data():
    for folder in (ROOT / "saved_models").glob("*/"):
        metadata = read_metadata(resolve(folder))
        assert metadata["terms"] == as_json(metadata["data"]), folder
