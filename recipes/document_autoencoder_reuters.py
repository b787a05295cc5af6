"""Autoencoder of documents on Reuters-21578, against latent semantic analysis.

Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
fig. 4: word counts of news stories to codes of 10 or 2 dimensions (2000-500-250-125-10 and its
mirror image), and retrieval by the cosine of codes: each test document is a query that is to find
the other test documents of its topic. Precision is averaged over recalls of 10 % to 100 %. Beside
it are latent semantic analysis (LSA), a truncated SVD, and PCA, both of tf-idf: log(1 + count)
times the inverse document frequency of the word, scaled to one length. The paper's 804,414
documents are of Reuters Corpus Volume 2. Its logistic units are pretrained; here they start from
weights four times as large as usual.

The preset cpu has what retrieved best within the last fifth of the training stories, left out of a
trial: it reconstructs tf-idf in place of fractions of words, which gives rare words more weight,
drops a fifth of the words that it reads, has ReLU units and makes fewer passes.

  python recipes/document_autoencoder_reuters.py                    about 2 minutes on two CPU cores
  python recipes/document_autoencoder_reuters.py --preset smoke     under a minute

Data: reuters through tensorflow-datasets (from reuters21578.tar.gz, fetched by hand), or
`--dataset 20newsgroups` through scikit-learn.
"""

import dataclasses
from typing import Literal

import keras
import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from keras_gen.autoencoders import DocumentAutoencoder
from keras_gen.data import documents
from keras_gen.metrics import retrieval_curve
from keras_gen.networks import mlp_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import code_scatter, line_plot


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    dataset: Literal["reuters", "20newsgroups"] = "reuters"  # The documents
    words: int = 2000  # Size of the vocabulary
    vectors: Literal["shares", "tf-idf"] = "shares"
    """What is reconstructed of a document: fractions of words, as in the paper, or tf-idf."""
    latent_dim: int = 10  # Dimensions of the main model's code; a second model has 2, for the map
    width: int = 500  # Units of the first hidden layer; the next have a half and a quarter
    activation: Literal["sigmoid", "relu"] = "sigmoid"  # Of the hidden layers; sigmoid in the paper
    gain: float = 4.0  # Factor of the initial weights of all but the last layer: 1 for relu
    dropout: float = 0.0  # Fraction of the words that the encoder does not see in training
    learning_rate: float = 2e-3  # Adam's rate, constant in the first half and then linear to zero


PRESETS = {
    "smoke": dict(words=200, width=32, vectors="tf-idf", dropout=0.2, epochs=2, steps_per_epoch=20,
                  batch_size=50),
    "cpu": dict(vectors="tf-idf", activation="relu", gain=1.0, dropout=0.2, learning_rate=1e-3,
                epochs=10, steps_per_epoch=96, batch_size=100),
    "paper": dict(epochs=50, steps_per_epoch=96, batch_size=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(documents(s.dataset, s.words))
    counts, test, topics = data.train.arrays(), data.test.arrays(), data.test_topics
    shape, hidden = (len(data.vocabulary),), (s.width, s.width // 2, s.width // 4)
    tfidf, options, models = TfidfTransformer().fit(counts), {}, {}
    if s.vectors == "tf-idf":
        options = dict(likelihood="normal", idf=tfidf.idf_.tolist())
    with run.strategy.scope():
        for name, size in (("map", 2), ("main", s.latent_dim)):
            start = dict(gain=s.gain, output_gain=s.gain, dropout=s.dropout)
            networks = mlp_networks(shape, size, hidden, s.activation, **start)
            models[name] = DocumentAutoencoder(*networks, data.vocabulary, seed=s.seed, **options)
            run.compile(models[name], keras.optimizers.Adam(run.in_halves(s.learning_rate)))

    def draw(model):
        return code_scatter({"autoencoder": model.encode(test)[:, :2]}, topics, data.topics)

    run.fit(models["map"], data.train, draw, part="plane")
    run.fit(models["main"], data.train, draw)

    with run.evaluation(models["main"]) as metrics:
        recalls, lines = np.arange(1, 11) / 10, {}
        known, held_out = (tfidf.transform(np.log1p(x)).toarray() for x in (counts, test))
        for name, suffix, size in (("main", "", s.latent_dim), ("map", "_2", 2)):
            codes = {"autoencoder": models[name].encode(test)}
            for kind, method in (("LSA", TruncatedSVD), ("PCA", PCA)):
                codes[kind] = method(size, random_state=s.seed).fit(known).transform(held_out)
            for kind, key in (("autoencoder", ""), ("LSA", "_lsa"), ("PCA", "_pca")):
                pair = codes[kind], topics
                line = retrieval_curve(*pair, *pair, recalls, leave_one_out=True)
                metrics[f"precision{key}{suffix}"] = float(line.mean())
                lines[f"{kind}, {size}"] = (recalls, line)
        run.draw("sample_grid", code_scatter(codes, topics, data.topics))
        run.draw("precision", line_plot(lines, "fraction of the topic retrieved", "precision"))
    run.export(models["main"], half=True)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
