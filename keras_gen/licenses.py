"""License terms of the recipes' datasets, as included in exports. This module imports quickly."""

import dataclasses
import re
from collections.abc import Iterable
from typing import Any


@dataclasses.dataclass(frozen=True)
class Terms:
    """License terms of a dataset.

    Attributes:
        name: Common name of the dataset.
        license: License of the dataset, in words.
        commercial_use: Whether commercial use is allowed, or None if the license does not specify
            this.
    """

    name: str
    license: str
    commercial_use: bool | None


NOT_STATED = "not stated"
# The keys are names of builders or folders in descriptions of data. See docs/licenses.md.
TERMS = {
    "adult": Terms("Adult", "CC BY 4.0", True),
    "bsds500_half": Terms("BSDS500", "non-commercial research and education only", False),
    "celeb_a": Terms("CelebA", "non-commercial research only", False),
    "cifar10": Terms("CIFAR-10", NOT_STATED, None),
    "cycle_gan/monet2photo": Terms("monet2photo", NOT_STATED, None),
    "facades": Terms("facades", NOT_STATED, None),
    "fashion_mnist": Terms("Fashion-MNIST", "MIT", True),
    "mnist": Terms("MNIST", "CC BY-SA 3.0", True),
    "reuters": Terms("Reuters-21578", "research only", False),
    "spoken_digit": Terms("Free Spoken Digit Dataset", "CC BY-SA 4.0", True),
    "T91": Terms("T91", NOT_STATED, None),
    "usps": Terms("USPS", NOT_STATED, None),
}


def terms_of(data: Any) -> list[Terms]:
    """Returns the terms of the known datasets that a description mentions, sorted by name.

    Args:
        data: Description of the data in an export's metadata: a string, or a dict that maps the
            names of parts to strings.

    Example:
        >>> [terms.license for terms in terms_of({"train": "1800 examples: celeb_a/2.1.0"})]
        ['non-commercial research only']
    """
    texts = data.values() if isinstance(data, dict) else [data]
    words = re.findall(r"[\w/.]+", " ".join(map(str, texts)))
    named = {re.sub(r"/\d[\d.]*$", "", word) for word in words}
    return [TERMS[name] for name in sorted(named & TERMS.keys())]


def as_json(data: Any) -> dict[str, dict[str, Any]]:
    """Returns a dict that maps the datasets in a description to their terms, for metadata."""
    return {
        terms.name: {"license": terms.license, "commercial_use": terms.commercial_use}
        for terms in terms_of(data)
    }


def forbid_commerce(every: Iterable[Terms]) -> bool:
    """Returns whether the terms of at least one dataset forbid commercial use."""
    return any(terms.commercial_use is False for terms in every)
