"""Autoencoder of documents on Reuters-21578, against latent semantic analysis.

Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
fig. 4: word counts of news stories to codes of 10 or 2 numbers (2000-500-250-125-10 and its mirror
image), and retrieval by the cosine of codes: each test document is a query that is to find the
other test documents of its topic. Beside it is latent semantic analysis (LSA), which the paper
compares with: a truncated SVD of log(1 + count). Precision is averaged over recalls of 10 % to
100 %. The paper's 804,414 documents are of Reuters Corpus Volume 2. Its logistic units are
pretrained; here they start from weights four times as large as usual, without which they hardly
learn, the codes' too, since the cosine asks how they lie around the origin. The preset cpu has ReLU
units in their place, and fewer passes: what had the fewest nats per word on the last tenth of the
training stories, when those were left out.

  python recipes/document_autoencoder_reuters.py                    about 2 minutes on two CPU cores
  python recipes/document_autoencoder_reuters.py --preset smoke     under a minute

Data: reuters through tensorflow-datasets (from reuters21578.tar.gz, fetched by hand), or
`--dataset 20newsgroups` through scikit-learn.
"""

import dataclasses
from typing import Literal

import keras
import numpy as np
from sklearn.decomposition import TruncatedSVD

from keras_gen.autoencoders import DocumentAutoencoder
from keras_gen.data import documents
from keras_gen.images import write_png
from keras_gen.metrics import retrieval_curve
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.results import Figure, Published
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import code_scatter, line_plot

RECALLS = np.arange(1, 11) / 10


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    """Settings of the document autoencoder."""

    dataset: Literal["reuters", "20newsgroups"] = "reuters"
    """The documents."""
    words: int = 2000
    """Size of the vocabulary."""
    latent_dim: int = 10
    """Numbers of the main model's code; the second model has 2, for the map."""
    width: int = 500
    """Units of the first hidden layer; the next have a half and a quarter."""
    activation: Literal["sigmoid", "relu"] = "sigmoid"
    """Of the hidden layers: sigmoid in the paper."""
    gain: float = 4.0
    """Factor of the encoder's and of the decoder's hidden layers' initial weights: 4 for sigmoid, 1
    for relu."""
    learning_rate: float = 2e-3
    """Adam's rate."""


PRESETS = {
    "smoke": dict(words=200, width=32, epochs=2, steps_per_epoch=20, batch_size=50),
    "cpu": dict(
        activation="relu", gain=1.0, learning_rate=1e-3, epochs=9, steps_per_epoch=96,
        batch_size=100,
    ),
    "paper": dict(epochs=50, steps_per_epoch=96, batch_size=100),
}  # fmt: skip

# Key, name, tolerance.
MEASURES = (
    ("precision", "mean precision of retrieval, 10 dimensions", 0.03),
    ("precision_lsa", "mean precision of retrieval, LSA of 10", 0.01),
    ("precision_2", "mean precision of retrieval, 2 dimensions", 0.05),
    ("precision_lsa_2", "mean precision of retrieval, LSA of 2", 0.01),
)
RESULTS = Published(
    system="Document autoencoder",
    family="autoencoders",
    paper="Hinton & Salakhutdinov 2006, https://doi.org/10.1126/science.1127647, fig. 4",
    dataset="Reuters-21578, ModApte",
    train_size=9_603,
    figures=tuple(
        Figure(
            key, name, "", higher_is_better=True, tolerance=tolerance,
            given=dict(dataset="reuters", words=2000, latent_dim=10),
        )
        for key, name, tolerance in MEASURES
    ),
)  # fmt: skip


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = documents(s.dataset, s.words)
    run.describe_data(data)
    counts, test = data.train.arrays(), data.test.arrays()

    def build(codes):
        shape, hidden = (len(data.vocabulary),), (s.width, s.width // 2, s.width // 4)
        options = dict(activation=s.activation, gain=s.gain)
        encoder = mlp_encoder(shape, codes, hidden, output_gain=s.gain, **options)
        decoder = mlp_decoder(shape, codes, hidden[::-1], **options)
        model = DocumentAutoencoder(encoder, decoder, data.vocabulary, seed=s.seed)
        model.compile(
            keras.optimizers.Adam(s.learning_rate), steps_per_execution=s.steps_per_execution
        )
        return model

    with run.strategy.scope():
        flat, model = build(2), build(s.latent_dim)

    def stream(start):
        return data.train.stream(s.batch_size, s.seed, start)

    def plane(**codes):
        """The first two numbers of the test documents' codes, in the colors of their topics."""
        points = {name: each[:, :2] for name, each in codes.items()}
        return code_scatter(points, data.test_topics, data.topics)

    def sample_grid(model):
        return plane(autoencoder=model.encode(test))

    def lsa(codes):
        svd = TruncatedSVD(codes, random_state=s.seed).fit(np.log1p(counts))
        return svd.transform(np.log1p(test))

    def evaluate(model, directory):
        found = {
            f"autoencoder, {s.latent_dim}": model.encode(test),
            f"LSA, {s.latent_dim}": lsa(s.latent_dim),
            "autoencoder, 2": flat.encode(test), "LSA, 2": lsa(2),
        }  # fmt: skip
        image = plane(autoencoder=found["autoencoder, 2"], LSA=found["LSA, 2"])
        write_png(directory / "sample_grid.png", image)
        topics = data.test_topics
        precision = [
            retrieval_curve(codes, topics, codes, topics, RECALLS, leave_one_out=True)
            for codes in found.values()
        ]
        lines = {name: (RECALLS, line) for name, line in zip(found, precision, strict=True)}
        image = line_plot(lines, "fraction of the topic retrieved", "precision")
        write_png(directory / "precision.png", image)
        means = [float(line.mean()) for line in precision]
        keys = [key for key, _, _ in MEASURES]
        nats_per_word = float(model.score(test).sum() / test.sum())
        return dict(zip(keys, means, strict=True)) | {"nats_per_word": nats_per_word}

    run.fit(flat, stream, sample_grid, part="plane")
    run.fit(model, stream, sample_grid)
    run.finish(model, evaluate, data.record())


if __name__ == "__main__":
    run_recipe(main)
