"""Autoencoder of documents on Reuters-21578, against latent semantic analysis.

Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
fig. 4: word counts of news stories to codes of 10 or 2 dimensions (2000-500-250-125-10 and its
mirror image), and retrieval by the cosine of codes: each test document is a query that is to find
the other test documents of its topic. Beside it is latent semantic analysis (LSA): a truncated SVD
of log(1 + count). Precision is averaged over recalls of 10 % to 100 %. The paper's 804,414
documents are of Reuters Corpus Volume 2. Its logistic units are pretrained; here they start from
weights four times as large as usual. The preset cpu has ReLU units in their place, and fewer
passes: what had the fewest nats per word on the last tenth of the training stories, left out.

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
from keras_gen.metrics import retrieval_curve
from keras_gen.networks import mlp_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import code_scatter, line_plot


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    dataset: Literal["reuters", "20newsgroups"] = "reuters"  # The documents
    words: int = 2000  # Size of the vocabulary
    latent_dim: int = 10  # Dimensions of the main model's code; a second model has 2, for the map
    width: int = 500  # Units of the first hidden layer; the next have a half and a quarter
    activation: Literal["sigmoid", "relu"] = "sigmoid"  # Of the hidden layers; sigmoid in the paper
    gain: float = 4.0  # Factor of the initial weights of all but the last layer: 1 for relu
    learning_rate: float = 2e-3  # Adam's rate


PRESETS = {
    "smoke": dict(words=200, width=32, epochs=2, steps_per_epoch=20, batch_size=50),
    "cpu": dict(activation="relu", gain=1.0, learning_rate=1e-3, epochs=9, steps_per_epoch=96,
                batch_size=100),
    "paper": dict(epochs=50, steps_per_epoch=96, batch_size=100),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(documents(s.dataset, s.words))
    counts, test, topics = data.train.arrays(), data.test.arrays(), data.test_topics
    shape, hidden = (len(data.vocabulary),), (s.width, s.width // 2, s.width // 4)
    models = {}
    with run.strategy.scope():
        for name, size in (("map", 2), ("main", s.latent_dim)):
            gains = dict(gain=s.gain, output_gain=s.gain)
            networks = mlp_networks(shape, size, hidden, s.activation, **gains)
            models[name] = DocumentAutoencoder(*networks, data.vocabulary, seed=s.seed)
            run.compile(models[name], keras.optimizers.Adam(s.learning_rate))

    def draw(model):
        return code_scatter({"autoencoder": model.encode(test)[:, :2]}, topics, data.topics)

    run.fit(models["map"], data.train, draw, part="plane")
    run.fit(models["main"], data.train, draw)

    with run.evaluation(models["main"]) as metrics:
        recalls, lines = np.arange(1, 11) / 10, {}
        for name, suffix, size in (("main", "", s.latent_dim), ("map", "_2", 2)):
            svd = TruncatedSVD(size, random_state=s.seed).fit(np.log1p(counts))
            codes = {"autoencoder": models[name].encode(test), "LSA": svd.transform(np.log1p(test))}
            for kind, key in (("autoencoder", "precision"), ("LSA", "precision_lsa")):
                known = codes[kind], topics
                line = retrieval_curve(*known, *known, recalls, leave_one_out=True)
                metrics[key + suffix] = float(line.mean())
                lines[f"{kind}, {size}"] = (recalls, line)
        metrics["nats_per_word"] = float(models["main"].score(test).sum() / test.sum())
        run.draw("sample_grid", code_scatter(codes, topics, data.topics))
        run.draw("precision", line_plot(lines, "fraction of the topic retrieved", "precision"))
    run.export(models["main"])


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
