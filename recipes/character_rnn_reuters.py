"""Character RNN on Reuters-21578.

Graves: "Generating Sequences With Recurrent Neural Networks", 2013, sec. 2 and 3.

  python recipes/character_rnn_reuters.py                   about 60 minutes on one of two CPU cores
  python recipes/character_rnn_reuters.py --preset smoke    under a minute

Expected result of the cpu preset: 1.60 bits per character (n-grams: 1.65; n-grams and
words: 1.59).

Stories are split into passages, each processed without memory of the previous passage; the last
passage of a story ends with an end token. The bits per character on test passages are compared with
the bits of n-grams with modified Kneser-Ney smoothing, and of the same n-grams mixed with counts of
the characters that follow the latest words. The order of the n-grams is chosen on held-out training
passages. Prompts are continued at several temperatures. The weights from the epoch with the best
held-out loss are kept.

Deviations: one LSTM, and a different text; the paper reports 1.24 bits per character on the Penn
Treebank with 7 layers of 700 units.

Data: reuters through tensorflow-datasets (from reuters21578.tar.gz, which you download yourself).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.autoregressive import CharacterRNN
from keras_gen.core.kinds_of_data import Characters
from keras_gen.data import Source, character_texts
from keras_gen.metrics import bits_per_live_value
from keras_gen.networks import character_rnn
from keras_gen.workshop.baselines import WordNGrams, best_n_grams
from keras_gen.workshop.visualize import text_page

TEMPERATURES = (0.5, 0.8, 1.0)
PROMPTS = ("The company said ", "U.S. ", "Shr 12 cts vs ")


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    length: int = 256  # Number of characters per passage
    units: int = 512  # Units in each LSTM
    blocks: int = 1  # Number of LSTM layers
    learning_rate: float = 3e-3  # Adam's learning rate; linear decay to 0 in the second half
    held_out: int = 500
    """Number of stories at the end of the training set, held out to choose the epoch and the n-gram
    order."""
    tested: int = 3299  # Number of test stories; the first ones are used
    orders: str = "1 2 3 4 5 6 7 8 9"
    """Candidate orders for the n-gram baseline; the best order is chosen."""


PRESETS = {
    "smoke": dict(length=32, units=8, epochs=2, steps_per_epoch=5, batch_size=8, held_out=20,
                  tested=20, orders="1 2"),
    "cpu": dict(epochs=15, steps_per_epoch=200, batch_size=64),
    "paper": dict(length=512, units=700, blocks=7, epochs=100, steps_per_epoch=250,
                  batch_size=64),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(character_texts("reuters"))
    edge = Characters(data.alphabet, s.length)
    stories = data.train.arrays()
    train = passages(stories[: -s.held_out], edge)
    held_out = passages(stories[-s.held_out :], edge)
    test = passages(data.test.arrays()[: s.tested], edge)

    with run.strategy.scope():
        network = character_rnn(edge.levels, s.units, s.blocks)
        model = CharacterRNN(network, data.alphabet, s.length, seed=s.seed)
        rate = run.in_halves(s.learning_rate)
        run.compile(model, Adam(rate, global_clipnorm=1.0))

    def validate(model):
        return {"bits": bits_per_live_value(-model.log_prob(held_out), held_out)}

    # Each step: each character is predicted from the true characters before it.
    draw = partial(continuations, seed=s.seed)
    run.fit(model, Source(train), draw, validate=validate, best="bits")
    run.restore_best(model)
    run.export(model, default="sample", half=True)

    run.say("counting n-grams for the baseline")
    orders = [int(order) for order in s.orders.split()]
    n_grams = best_n_grams(train, held_out, orders, edge.levels)
    letters = np.zeros(edge.levels, bool)
    letters[: len(data.alphabet)] = [character.isalnum() for character in data.alphabet]
    words = WordNGrams(n_grams.order, edge.levels, letters).fit(train).tuned(held_out)

    with run.evaluation(model) as metrics:
        run.say(
            f"evaluating {np.count_nonzero(test >= 0):,} test characters in bits per character"
        )
        metrics["bits"] = bits_per_live_value(-model.log_prob(test), test)
        metrics["bits_n_grams"] = bits_per_live_value(-n_grams.log_prob(test), test)
        metrics["bits_words"] = bits_per_live_value(-words.log_prob(test), test)
        metrics["n_gram_order"] = n_grams.order


def continuations(model, seed):
    """Returns an image of prompts with continuations at several temperatures."""
    texts = []
    for temperature in TEMPERATURES:
        texts.append(f"--- temperature {temperature:g}")
        for prompt in PROMPTS:
            texts += list(model.continue_text(prompt, 1, temperature, seed=seed))
    return text_page(texts)


def passages(texts, edge):
    """Returns the character indices of all passages of the texts, int32 `[n, length, 1]`."""
    found = []
    for text in texts:
        story = text.decode()
        # A story that fills its last passage is followed by a passage with only the end token.
        for start in range(0, len(story) + 1, edge.length):
            found.append(story[start : start + edge.length])
    return edge.prepare(found).numpy()


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
