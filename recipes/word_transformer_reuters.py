"""Word-level transformer on Reuters-21578.

Radford, Wu, Child, Luan, Amodei, Sutskever: "Language Models are Unsupervised Multitask Learners",
2019 (GPT-2), sec. 2. Each word is predicted from earlier words.

  python recipes/word_transformer_reuters.py                about 21 minutes on one of two CPU cores
  python recipes/word_transformer_reuters.py --preset smoke  under a minute

Expected result of the cpu preset: a perplexity of 37 per word (5-grams: 44).

Words are lowercase, numbers become N, punctuation marks are words, and all except the most common
words become <unk>. For the character model, each word is represented by a character from Unicode's
private use area; words.txt in the run's folder lists the words. Stories are split into passages,
each processed without memory of the previous passage. Perplexity is measured on the words and end
tokens of test passages, and is compared with n-grams with modified Kneser-Ney smoothing on the same
passages. It is also reported by a word's position in its passage. The weights from the epoch with
the best loss on held-out passages are kept.

Deviations: words instead of subwords, a small vocabulary, and a small transformer.

Data: reuters through tensorflow-datasets (from reuters21578.tar.gz, which you download yourself).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from collections import Counter
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.autoregressive import CharacterRNN
from keras_gen.core.kinds_of_data import Characters
from keras_gen.data import Source, character_texts, words_of
from keras_gen.metrics import bits_per_live_value
from keras_gen.networks import transformer
from keras_gen.workshop.baselines import NGrams
from keras_gen.workshop.visualize import line_plot, text_page

TEMPERATURES = (0.5, 0.8, 1.0)
PROMPTS = ("the company said", "the bank of", "oil")
ALONE = "one word alone"
ORDERS = {ALONE: 1, "3-grams": 3, "5-grams": 5}
UNKNOWN = "<unk>"
FIRST = 0xE000  # first private-use character


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    vocabulary: int = 4000  # Number of most common words in the vocabulary, at most 6,200
    length: int = 64  # Number of words per passage
    units: int = 128  # Number of dimensions of the vectors between the blocks
    blocks: int = 4  # Number of blocks, each with attention and a dense layer
    heads: int = 4  # Number of attention heads per block
    dropout: float = 0.1  # Dropout rate in the transformer's residual branches
    learning_rate: float = 2e-3  # Adam's learning rate; linear decay to 0 in the second half
    held_out: int = 500
    """Number of stories at the end of the training set, held out to choose the epoch."""
    tested: int = 3299  # Number of test stories; the first ones are used


PRESETS = {
    "smoke": dict(vocabulary=50, length=8, units=8, blocks=1, heads=2, epochs=2,
                  steps_per_epoch=5, batch_size=8, held_out=20, tested=20),
    "cpu": dict(blocks=2, dropout=0.0, epochs=10, steps_per_epoch=400, batch_size=16),
    "paper": dict(vocabulary=6000, length=1024, units=768, blocks=12, heads=12, epochs=100,
                  steps_per_epoch=100, batch_size=512),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(character_texts("reuters"))
    stories = [words_of(text.decode()) for text in data.train.arrays()]
    counts = Counter(word for story in stories[: -s.held_out] for word in story)
    words = [UNKNOWN, *(word for word, _ in counts.most_common(s.vocabulary - 1))]
    (run.directory / "words.txt").write_text("\n".join(words) + "\n")
    alphabet = "".join(chr(FIRST + number) for number in range(len(words)))
    edge = Characters(alphabet, s.length)
    train = passages(stories[: -s.held_out], words, edge)
    held_out = passages(stories[-s.held_out :], words, edge)
    test_stories = [words_of(text.decode()) for text in data.test.arrays()[: s.tested]]
    test = passages(test_stories, words, edge)

    with run.strategy.scope():
        network = transformer(
            s.length, edge.levels, s.units, s.blocks, s.heads, dropout=s.dropout
        )
        model = CharacterRNN(network, alphabet, s.length, seed=s.seed)
        rate = run.in_halves(s.learning_rate)
        run.compile(model, Adam(rate, beta_2=0.95, global_clipnorm=1.0))

    def validate(model):
        return {"perplexity": perplexity(model, held_out)}

    # Each step: each word is predicted from the true words before it.
    draw = partial(continuations, words=words, seed=s.seed)
    run.fit(model, Source(train), draw, validate=validate, best="perplexity")
    run.restore_best(model)
    run.export(model, default="sample", half=True)

    run.say("counting n-grams for the baselines")
    models = {"transformer": model}
    for name, order in ORDERS.items():
        models[name] = NGrams(order, edge.levels).fit(train)

    with run.evaluation(model) as metrics:
        run.say(
            f"computing the perplexity per word on {np.count_nonzero(test >= 0):,} test words"
        )
        metrics["perplexity"] = perplexity(model, test)
        for name, order in ORDERS.items():
            metrics[f"perplexity_{order}_grams"] = perplexity(models[name], test)
        for name, number in (("unknown", 0), ("numbers", words.index("N"))):
            metrics[f"fraction_{name}"] = np.mean(test[test >= 0] == number)
        shown = {name: each for name, each in models.items() if name != ALONE}
        lines = {name: by_place(each, test) for name, each in shown.items()}
        x_label = "position in the passage (end of interval)"
        run.draw("places", line_plot(lines, x_label, "perplexity per word", log_x=True))


def passages(stories, words, edge):
    """Returns the word indices of all passages of stories, int32 `[n, length, 1]`."""
    numbers = {word: number for number, word in enumerate(words)}
    found = []
    for story in stories:
        signs = as_characters(story, numbers)
        # A story that fills its last passage is followed by a passage with only the end token.
        for start in range(0, len(signs) + 1, edge.length):
            found.append(signs[start : start + edge.length])
    return edge.prepare(found).numpy()


def as_characters(story, numbers):
    """Returns words as a string with one character per word."""
    return "".join(chr(FIRST + numbers.get(word, 0)) for word in story)


def perplexity(model, passages):
    """Returns the exponential of the mean number of nats per word."""
    return 2 ** bits_per_live_value(-model.log_prob(passages), passages)


def by_place(model, passages):
    """Returns the ends (1, 2, 4, ...) of consecutive parts of passages, and their perplexities."""
    length = passages.shape[1]
    ends = [2**power for power in range(length.bit_length()) if 2**power <= length]
    found = []
    before = 0.0
    start = 0
    for end in ends:
        # Padding after the end is not counted.
        beginning = np.where(np.arange(length)[None, :, None] < end, passages, -1)
        nats = -np.sum(model.log_prob(beginning), dtype="float64")
        found.append(np.exp((nats - before) / np.count_nonzero(passages[:, start:end] >= 0)))
        before = nats
        start = end
    return ends, found


def continuations(model, words, seed):
    """Returns an image of prompts with continuations at several temperatures."""
    numbers = {word: number for number, word in enumerate(words)}
    texts = []
    for temperature in TEMPERATURES:
        texts.append(f"--- temperature {temperature:g}")
        for prompt in PROMPTS:
            begun = as_characters(words_of(prompt), numbers)
            (drawn,) = model.continue_text(begun, 1, temperature, seed=seed)
            texts.append(" ".join(words[ord(sign) - FIRST] for sign in drawn))
    return text_page(texts)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
