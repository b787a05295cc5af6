"""Text shared by messages, and extraction of this library's messages from runtime errors."""

import difflib
import os
import re
import sys
import warnings
from collections.abc import Iterable

BAD_INPUT = "keras_gen: bad input: "
END = " (end)"
MOST_NAMES = 20  # maximum number of names that a sentence lists
_SHAPES = re.compile(
    r"Shape of tensor \S+ (\[.*?\]) is not compatible with expected shape (\[.*?\])"
)
_ALLOCATED = re.compile(r"(?:allocate|allocating tensor) .*?shape ?[\[(]([\d, ]+)[\])]")
_WORDS = {
    "g": "generator",
    "d": "discriminator",
    "val": "validation",
    "elbo": "ELBO",
    "fid": "FID",
    "gan": "GAN",
    "ddpm": "DDPM",
    "griffin_lim": "Griffin-Lim",
    "jpeg": "JPEG",
    "kl": "KL divergence",
    "kl_loss": "KL divergence (nats)",
    "kmeans": "k-means",
    "knn": "nearest neighbors",
    "l1": "L1",
    "log_prob": "log-likelihood (nats)",
    "made": "MADE",
    "ms_ssim": "MS-SSIM",
    "nll": "negative log-likelihood (nats)",
    "non_saturating": "non-saturating",
    "pca": "PCA",
    "pac2": "PacGAN2",
    "pixel_cnn": "PixelCNN",
    "png": "PNG",
    "psnr": "PSNR (dB)",
    "r1": "R1",
    "ridge": "ridge regression",
    "svc": "support vector classifier",
    "vae": "VAE",
    "vq_vae": "VQ-VAE",
    "wasserstein": "Wasserstein",
    "waveglow": "WaveGlow",
}
_KNOWN = re.compile(rf"(?<![^_])({'|'.join(sorted(_WORDS, key=len, reverse=True))})(?![^_])")


def warn(message: str) -> None:
    """Issues a UserWarning that points to the user's line, outside this library and Keras."""
    packages = [sys.modules[name] for name in ("keras_gen", "keras") if name in sys.modules]
    folders = tuple(os.path.join(os.path.dirname(str(p.__file__)), "") for p in packages)
    level = 1
    frame = sys._getframe()
    while frame and frame.f_code.co_filename.startswith(folders):
        level += 1
        frame = frame.f_back  # type: ignore[assignment]
    warnings.warn(message, stacklevel=level)


def in_words(name: str) -> str:
    """Returns the name of a metric or a setting in words, for labels in images.

    Example:
        >>> in_words("val_g_loss")
        'validation generator loss'
        >>> in_words("test images")
        'test images'
    """
    return _KNOWN.sub(lambda found: _WORDS[found[1]], name).replace("_", " ")


def printable(text: str) -> str:
    r"""Returns text with all control characters except newlines escaped.

    Otherwise, control characters from other people's files could hide lines in a terminal.

    Example:
        >>> printable("mnist\x1b[2J")
        'mnist\\x1b[2J'
    """
    return "".join(
        letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1]
        for letter in text
    )


def known_names(name: str, known: Iterable[str]) -> str:
    """Returns the end of an error message on an unknown name, with similar names or all names.

    Example:
        >>> known_names("vae_mnits", ["gan_mnist", "vae_mnist"])
        '; did you mean vae_mnist or gan_mnist?'
        >>> known_names("xyz", ["gan_mnist", "vae_mnist"])
        ', which contains: gan_mnist, vae_mnist.'
    """
    known = list(known)
    near = nearest(name, known)
    if near != ".":
        return near
    if len(known) > MOST_NAMES:
        return f", which contains {len(known)} names, such as {', '.join(known[:3])}."
    return f", which contains: {', '.join(known) or 'none'}."


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns the end of a sentence that lists names, with a suggestion of any similar names.

    Example:
        >>> nearest("lable", ["label", "psi"])
        '; did you mean label?'
        >>> nearest("xyz", ["label", "psi"])
        '.'
    """
    known = list(known)
    near = [other for other in known if name and other.startswith(name)]
    near = near or difflib.get_close_matches(name, known)
    return f"; did you mean {' or '.join(near[:3])}?" if near else "."


def older_likelihood(model) -> str:
    """Returns advice on weights from before the `for_vectors` likelihood changed; may be empty."""
    if type(getattr(model, "likelihood", None)).__name__ != "ColumnNormal":
        return ""
    return ' Weights trained with an earlier version need likelihood="unbounded_normal".'


def out_of_memory(error: BaseException) -> str | None:
    """Returns this library's message if insufficient memory caused an error, or None otherwise."""
    # TensorFlow's error is recognized by its name, since not every program imports TensorFlow.
    if not isinstance(error, MemoryError) and type(error).__name__ != "ResourceExhaustedError":
        return None
    asked = _ALLOCATED.search(str(error))
    shape = asked and asked[1].replace(" ", "").strip(",")
    what = f"an array of shape [{shape}]" if shape else "this operation"
    return f"there is not enough memory for {what}: choose smaller images, networks, or batches."


def refusal(text: str) -> str | None:
    """Extracts this library's sentence from a runtime error's message; returns None if it has none.

    The sentence comes from `core.require`, or describes a shape that `tf.ensure_shape` rejected.
    """
    if BAD_INPUT in text:
        # The runtime writes the pieces and the value as [piece] [value] [piece].
        sentence = text.split(BAD_INPUT)[1].split(END)[0].replace("] [", "")
        return sentence.replace("\\'", "'")  # the runtime escapes quotation marks
    if shapes := _SHAPES.search(text):
        found, expected = (shape.replace(",", ", ") for shape in shapes.groups())
        return f"The data has shape {found}: expected {expected.replace('?', 'any')}."
    return None
