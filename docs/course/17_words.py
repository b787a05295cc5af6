# %% [markdown]
# # 17. Words: counts, recurrent networks, and transformers
#
# A language model assigns a probability to each text. By the chain rule of [chapter
# 7](07_autoregressive.md), it predicts each character, or each word, from the preceding characters
# or words. This chapter compares three families of such models on the same text: counts of n-grams,
# recurrent networks, and transformers.
#
# After this chapter, you can convert bits per character to perplexity per word, derive Kneser-Ney
# smoothing, and write causal self-attention with its cache. You can explain how temperature, top-k,
# and top-p change a distribution, compare two language models with an error bar, and search for
# copied training text. Read chapter 7 before this chapter, because it introduces masks, teacher
# forcing, and arithmetic coding.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, on less text and with fewer steps.

# %%
import os
import re
import time
from collections import Counter, defaultdict
from itertools import pairwise, permutations

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from scipy.sparse.linalg import svds
from scipy.special import expit, log_softmax, softmax

from keras_gen import CharacterRNN
from keras_gen.autoregressive import sample_causal
from keras_gen.core.kinds_of_data import Characters
from keras_gen.data import Source, character_texts
from keras_gen.layers import CausalAttention, CausalLSTM, LearnedPositions
from keras_gen.metrics import bits_per_live_value
from keras_gen.networks import character_rnn, transformer
from keras_gen.workshop.baselines.n_grams import NGrams
from keras_gen.workshop.visualize import line_plot, new_figure, show, text_page

QUICK = bool(os.environ.get("QUICK"))
STORIES = 40 if QUICK else 2_000  # maximum number of training stories
TESTED = 10 if QUICK else 200  # held-out stories, and as many test stories
WORD_STORIES = 40 if QUICK else 10_000  # maximum number of stories for word vectors
VOCABULARY = 20 if QUICK else 3_000  # most frequent words that get a vector
LENGTH = 32 if QUICK else 128  # characters in a passage
ORDERS = (1, 2, 3) if QUICK else (1, 2, 3, 4, 5, 6, 7, 8)
UNITS = 8 if QUICK else 192  # in the LSTM
WIDTH = 8 if QUICK else 96  # of the vectors in the transformer
BLOCKS = 1 if QUICK else 2
PASSAGES = 8 if QUICK else 9_600  # read by each network in its training
RNN_BATCH = 4 if QUICK else 32  # passages in a training step
TRANSFORMER_BATCH = 4 if QUICK else 8
SAMPLES = 4 if QUICK else 40  # texts for each setting of a sampler
DRAWS = 1_000 if QUICK else 100_000  # letters for checks of formulas

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# ## 1. Bits per character, and perplexity
#
# A text is a sequence of characters $x_1, \ldots, x_n$ that ends with an end token. By the chain
# rule, a model $q$ needs
#
# $$-\log_2 q(x) = -\sum_{i=1}^n \log_2 q(x_i \mid x_1, \ldots, x_{i-1})$$
#
# bits for the text. This number is also the length of the compressed file. Divided by $n$, it is
# the **bits per character**. The **perplexity** is 2 to the power of the bits per character, or,
# equivalently, $e$ to the power of the nats per character. A model that chooses uniformly among $m$
# characters has the perplexity $m$, so perplexity is an effective number of choices.
#
# Let the text come from a distribution $p$. The expected number of bits is the **cross-entropy**,
#
# $$-E_p \log_2 q = -E_p \log_2 p + E_p \log_2 \frac{p}{q} = H(p) + \mathrm{KL}(p \,\|\, q).$$
#
# No model needs fewer bits on average than the entropy $H(p)$. For English, $H(p)$ is unknown, but
# we can construct a language with a known entropy: in a **Markov chain**, each letter depends only
# on the preceding letter. With a table $P$ of the probabilities of the next letter, and the
# stationary distribution $\pi$, the entropy per letter is $-\sum_{ij} \pi_i P_{ij} \log_2 P_{ij}$.
# A model $q_j$ that ignores the preceding letter needs $\sum_{ij} \pi_i P_{ij} \log_2 (P_{ij} /
# q_j)$ bits more. We check both formulas on random text.

# %%
P = random.dirichlet(np.full(4, 0.5), size=4)  # rows are the preceding letters
pi = np.linalg.matrix_power(P, 1000)[0]
letters = [0]
thresholds = P.cumsum(axis=1)
for uniform in random.random(DRAWS):
    letters.append(min(int(np.searchsorted(thresholds[letters[-1]], uniform)), 3))
letters = np.array(letters)
previous, following = letters[:-1], letters[1:]

entropy = -np.sum(pi[:, None] * P * np.log2(P))
divergence = np.sum(pi[:, None] * P * np.log2(P / pi))
true_bits = -np.log2(P[previous, following]).mean()
letter_bits = -np.log2(pi[following]).mean()
print(f"true model:           {true_bits:.3f} bits per letter, formula {entropy:.3f}")
print(
    f"without its context:  {letter_bits:.3f} bits per letter, formula {entropy + divergence:.3f}"
)
print(f"uniform:              {np.log2(4):.3f} bits per letter")

# %% [markdown]
# **The data** are news stories from the Reuters-21578 collection, from 1987. Only printable ASCII
# characters and line breaks are kept in the stories. If the collection is not installed, docstrings
# of scikit-learn replace it, but the text below describes the news stories. Each story is split
# into passages of 128 characters, and each passage is processed without memory of the preceding
# passages. The last passage of a story ends with an end token.

# %%
data = character_texts("reuters")
print(data.warning or "news stories from Reuters")
edge = Characters(data.alphabet, LENGTH)
LEVELS = edge.levels  # characters, and the end token


def decoded(source, count):
    return [story.decode() for story in source.take(count).arrays()]


def passages(stories):
    """Returns the characters of all passages, `[n, LENGTH]` with -1 for padding, and their stories."""
    cut, of_story = [], []
    for number, story in enumerate(stories):
        # A story that fills its last passage is followed by a passage with only the end token.
        for start in range(0, len(story) + 1, LENGTH):
            cut.append(story[start : start + LENGTH])
            of_story.append(number)
    return edge.prepare(cut).numpy()[..., 0], np.array(of_story)


stories = decoded(data.train, STORIES + TESTED)
train_stories, held_out_stories = stories[:-TESTED], stories[-TESTED:]
test_stories = decoded(data.test, TESTED)
train, _ = passages(train_stories)
held_out, _ = passages(held_out_stories)
test, story_of = passages(test_stories)
for name, part in (("training", train), ("held-out", held_out), ("test", test)):
    print(f"{name:9} {np.sum(part >= 0):9,} characters in {len(part):6,} passages")
print(f"{LEVELS} different characters, with the end token")
print(repr(test_stories[0][:200]))

# %% [markdown]
# **Units.** The number of bits of a *whole text* does not depend on how the text is divided into
# units. A text with $n$ characters and $w$ words has $n b$ bits, where $b$ is the bits per
# character, so
#
# $$\text{bits per word} = \frac{n}{w}\, b, \qquad
# \text{perplexity per word} = 2^{n b / w}.$$
#
# Spaces, punctuation marks, and end tokens are among the $n$ characters, so there are about six
# characters per word in this text. Because of the exponent, a small difference in bits per
# character becomes a large factor in perplexity per word.

# %%
characters = np.sum(test >= 0)
words = sum(len(story.split()) for story in test_stories)
per_word = characters / words
print(f"characters per word: {per_word:.2f}")
print("bits per character   bits per word   perplexity per word")
for bits in (np.log2(LEVELS), 4.0, 2.2, 2.0, 1.8, 1.0):
    print(f"{bits:12.2f} {bits * per_word:18.1f} {2 ** (bits * per_word):20,.0f}")

# %% [markdown]
# Two perplexities, or two values in bits, can be compared only if they refer to the same text and
# if all parts of this text are treated in the same way. A word model that replaces rare words with
# an *unknown* token needs fewer bits, because it does not encode which rare word it was. The result
# of a model on word pieces must be converted with the number of pieces. Bits per *character of the
# original text* are the safest unit.
#
# ## 2. Counts, and why they need smoothing
#
# An **n-gram** model predicts a character from the preceding $n - 1$ characters, its context $h$.
# The likelihood is maximal for relative frequencies, $q(w \mid h) = c(h w) / c(h)$, where $c$
# counts occurrences in the training text. Before we evaluate such a model, we generate text with
# it. Shannon (1948) did so by hand: open a book at a random page, search for the last characters of
# the generated text, and copy the character that follows them. This procedure samples from relative
# frequencies.

# %%
book = "\n".join(train_stories)


def shannon(order, length):
    """Returns text in which each character follows its context somewhere in the book."""
    start = int(random.integers(len(book) // 2))
    text = book[start : start + order - 1]
    while len(text) < length:
        context = text[len(text) - order + 1 :]
        place = book.find(context, int(random.integers(len(book) // 2)))
        place = place if 0 <= place < len(book) - order else book.find(context)
        text += book[place + order - 1]
    return text


LONGEST = 6 if QUICK else 15
shannon_texts = {
    order: [shannon(order, LENGTH) for _ in range(SAMPLES)] for order in (1, 2, 4, LONGEST)
}
lines = [f"{order}-grams: {texts[0]!r}" for order, texts in shannon_texts.items()]
show(text_page(lines), "shannon", "Text by Shannon's method, from contexts of growing length.")

# %% [markdown]
# Longer contexts give more readable text, but section 9 shows that more and more of this text is
# copied. On new text, relative frequencies fail. An n-gram that does not occur in the training text
# has the probability 0, and one such n-gram makes the number of bits infinite.
#
# **Add-$\alpha$ smoothing** adds a constant to each count. With $V$ different characters,
#
# $$q(w \mid h) = \frac{c(h w) + \alpha}{c(h) + \alpha V}.$$
#
# This estimate is the posterior mean for a Dirichlet prior whose parameters are all $\alpha$.
# **Add-one smoothing** corresponds to the uniform prior (Laplace). The weakness of the formula is
# that in each context, all unseen characters have the same probability. After a rare context, the
# predictions of a *shorter* context would be better.


# %%
def numbers(sequences, order):
    """Returns integers that identify the context and the n-gram of each character."""
    padded = np.pad(sequences, ((0, 0), (order - 1, 0)), constant_values=-1) + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, order, axis=1)
    windows = windows[windows[..., -1] > 0].astype("int64")
    context = windows[:, :-1] @ (LEVELS + 1) ** np.arange(order - 1, dtype="int64")
    return context, context * (LEVELS + 1) + windows[:, -1]


def counted(numbers, asked):
    """Returns how often each asked number occurs."""
    known, counts = np.unique(numbers, return_counts=True)
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where(known[place] == asked, counts[place], 0)


ALPHAS = (1.0, 0.01)
smoothed = {alpha: [] for alpha in ALPHAS}
print("order   n-grams of the held-out text that are new")
for order in ORDERS:
    context, n_gram = numbers(train, order)
    asked_context, asked = numbers(held_out, order)
    seen, seen_context = counted(n_gram, asked), counted(context, asked_context)
    print(f"{order:3} {np.mean(seen == 0):14.2%}")
    for alpha in ALPHAS:
        q = (seen + alpha) / (seen_context + alpha * LEVELS)
        smoothed[alpha].append(-np.log2(q).mean())

# %% [markdown]
# ## 3. Kneser-Ney smoothing
#
# **Absolute discounting** subtracts a constant $D$ between 0 and 1 from each count, and
# redistributes the subtracted mass according to $q'$, the prediction from a shorter context. Let
# $N(h\, \cdot)$ be the number of *different* characters that follow $h$. Then
#
# $$q(w \mid h) = \frac{\max(c(h w) - D, 0) + D\, N(h\, \cdot)\, q'(w)}{c(h)},$$
#
# which sums to 1, because exactly $D\, N(h\, \cdot)$ was subtracted. The weight of $q'$ is large
# for contexts that many different characters follow.
#
# How should $q'$ be chosen? The obvious choice is the relative frequency without the context.
# **Kneser and Ney (1995)** require that the model reproduce the frequencies of the training text,
# on average over the contexts of the training text: $\sum_h c(h)\, q(w \mid h) = c(w)$. Insert the
# formula. Let $N(\cdot\, w)$ be the number of different contexts that $w$ follows, and $N(\cdot\,
# \cdot)$ the number of different bigrams:
#
# $$c(w) - D\, N(\cdot\, w) + D\, N(\cdot\, \cdot)\, q'(w) = c(w)
# \quad \Longrightarrow \quad q'(w) = \frac{N(\cdot\, w)}{N(\cdot\, \cdot)}.$$
#
# So the shorter context must *count contexts, not occurrences*. For words, the reason is easy to
# see: a word such as "Francisco" is frequent, but follows only one word. After any other word,
# "Francisco" is unlikely, as its number of contexts, one, indicates. We search the training text
# for such words.

# %%
before = defaultdict(list)
for story in train_stories:
    found = story.split()
    for first, second in pairwise(found):
        before[second].append(first)
frequent = sorted(before, key=lambda word: -len(before[word]))[: 100 if QUICK else 1500]
narrow = sorted(frequent, key=lambda word: len(set(before[word])) / len(before[word]))[:3]
for word in narrow:
    contexts = before[word]
    print(f"{word!r} occurs {len(contexts)} times, after {len(set(contexts))} different words")

# %% [markdown]
# **The discount.** Leave one occurrence out, and predict it from all other occurrences. A character
# that occurs $c > 1$ times in its context is then predicted from the count $c - 1$, with a
# probability proportional to $c - 1 - D$. A character that occurs once must be predicted from the
# discounts, with a probability proportional to $D$. If $n_c$ n-grams have the count $c$, the
# log-likelihood is
#
# $$n_1 \log D + \sum_{c \ge 2} c\, n_c \log (c - 1 - D) + \text{const.}$$
#
# Set the derivative with respect to $D$ to 0, and keep only the first term of the sum, $c = 2$. The
# result is $n_1 / D = 2 n_2 / (1 - D)$, so $D = n_1 / (n_1 + 2 n_2)$.
#
# **Modified Kneser-Ney** (Chen and Goodman 1999) uses three discounts, $D_1$, $D_2$, and $D_3$, for
# counts of 1, 2, and 3 or more, with $D_i = i - (i + 1)\, D\, n_{i+1} / n_i$. Modified Kneser-Ney
# is the standard strong baseline, and the library's `NGrams` implements it for any order. The
# following code implements it for bigrams. Counts are in a table with a row for each preceding
# character and a row for the beginning of a text.

# %%
preceding = np.pad(train, ((0, 0), (1, 0)), constant_values=LEVELS)[:, :-1]  # beginning: LEVELS
live = train >= 0
counts = np.zeros((LEVELS + 1, LEVELS), int)
np.add.at(counts, (preceding[live], train[live]), 1)

# The constraint of Kneser and Ney, with one discount.
n1, n2 = np.sum(counts == 1), np.sum(counts == 2)
D = n1 / (n1 + 2 * n2)
totals, different = counts.sum(axis=1), np.sum(counts > 0, axis=1)
frequency, contexts = counts.sum(axis=0), np.sum(counts > 0, axis=0)
for name, shorter in (
    ("numbers of contexts", contexts / contexts.sum()),
    ("numbers of occurrences", frequency / frequency.sum()),
):
    mass = np.maximum(counts - D, 0) + D * different[:, None] * shorter  # c(h) q(w | h)
    error = np.abs(mass.sum(axis=0) - frequency).max()
    print(f"D = {D:.3f}, shorter context by {name}: largest error of a frequency {error:.1e}")


def discounted(counts):
    """Returns what is left of each count, and what is subtracted, with three discounts."""
    n = [np.sum(counts == c) for c in (1, 2, 3, 4)]
    D = np.array([0, 0.5, 1, 1.5])
    if all(n):
        y = n[0] / (n[0] + 2 * n[1])
        estimated = [i - (i + 1) * y * n[i] / n[i - 1] for i in (1, 2, 3)]
        D[1:] = estimated if min(estimated) > 0 else D[1:]
    subtracted = D[np.minimum(counts, 3)]
    return counts - subtracted, subtracted


left, subtracted = discounted(contexts)
shorter = (left + subtracted.sum() / LEVELS) / contexts.sum()
left, subtracted = discounted(counts)
mass = left + subtracted.sum(axis=1, keepdims=True) * shorter
q = np.where(totals[:, None] > 0, mass / np.maximum(totals, 1)[:, None], shorter)

asked = np.pad(held_out, ((0, 0), (1, 0)), constant_values=LEVELS)[:, :-1]
live = held_out >= 0
by_hand = -np.log2(q[asked[live], held_out[live]]).mean()


def bits(model, sequences):
    """Returns a model's bits per character."""
    return bits_per_live_value(-model.log_prob(sequences[..., None]), sequences)


print(f"held-out text by hand {by_hand:.4f}, by NGrams", end=" ")
print(f"{bits(NGrams(2, LEVELS).fit(train), held_out):.4f} bits per character")

# %% [markdown]
# We now compare all orders. The order is chosen on the held-out stories. The right panel shows how
# the chosen order and its bits per character depend on the amount of training text.

# %%
by_order = [NGrams(order, LEVELS).fit(train) for order in ORDERS]
held_out_bits = [bits(model, held_out) for model in by_order]
n_grams = by_order[int(np.argmin(held_out_bits))]
some = train[:: max(1, len(train) // 500)]
curves = {
    "add one": smoothed[1.0],
    "add 0.01": smoothed[0.01],
    "Kneser-Ney": held_out_bits,
    "Kneser-Ney, training text": [bits(model, some) for model in by_order],
}
sizes = [len(train) // part for part in ((4, 1) if QUICK else (64, 16, 4, 1))]
by_size = []
for size in sizes:
    smaller = [NGrams(order, LEVELS).fit(train[:size]) for order in ORDERS[1::2]]
    by_size.append(min(bits(model, held_out) for model in smaller))
    print(f"{size * LENGTH:9,} characters of training text: {by_size[-1]:.3f} bits")
print(f"chosen order: {n_grams.order}, {min(held_out_bits):.3f} bits per held-out character")

drawn = new_figure(10, 3.6)
axes, right = drawn.subplots(1, 2)
for (name, values), marker in zip(curves.items(), "os^v", strict=True):
    axes.plot(ORDERS, values, marker=marker, label=name, linestyle="--" if "," in name else "-")
axes.set(xlabel="order of the n-grams", ylabel="bits per character", ylim=(0, None))
axes.legend()
right.semilogx([size * LENGTH for size in sizes], by_size, marker="o")
right.set(xlabel="characters of training text", ylabel="bits per held-out character")
show(
    drawn,
    "orders",
    "With Kneser-Ney smoothing, long contexts help (left), and so does more training text (right).",
)

# %% [markdown]
# With add-one smoothing, the best order is low, and longer contexts soon increase the bits per
# character, because rare contexts predict an almost uniform distribution. With Kneser-Ney
# smoothing, contexts that are too long increase the bits per character only slightly, because rare
# contexts use the predictions of shorter contexts. As the order increases, the training text
# becomes more and more likely, so the order must not be chosen on the training text.
#
# ### Word vectors
#
# An n-gram treats *oil* and *crude* as unrelated. **word2vec** (Mikolov et al. 2013) learns a vector
# $u_w$ for each word and a vector $v_c$ for each word in its context. In *skip-gram with negative
# sampling*, a classifier with the logit $u_w \cdot v_c$ distinguishes pairs of words that occur
# within a few words of each other from pairs in which $c$ is sampled from a distribution $r(c)$, with
# $k$ such negatives per pair. By the argument for the best discriminator of a GAN ([chapter
# 9](09_gans.md)), the best logit is the logarithm of the ratio of both frequencies,
#
# $$u_w \cdot v_c = \log \frac{p(w, c)}{k \, p(w) r(c)},$$
#
# the **pointwise mutual information** minus $\log k$ (Levy and Goldberg 2014). So no network is
# needed: count pairs, set negative values to 0 (pairs that never occur have $-\infty$), and factorize
# the matrix. With few singular values, words with similar contexts get similar vectors. We use $k =
# 1$ and, as word2vec does, $r(c)$ proportional to the frequency to the power of 0.75.
#
# Famous examples add and subtract vectors: the nearest word to *japanese* - *japan* + *france* should
# be *french*. We test this with all pairs within three relations. The baseline takes the word that is
# nearest to *france*. The three given words never count as answers.

# %%
RELATIONS = {
    "country, adjective": "japan japanese, france french, germany german, brazil brazilian, canada"
    " canadian, italy italian, britain british",
    "singular, plural": "bank banks, company companies, price prices, rate rates, share shares,"
    " market markets, loan loans",
    "present, past": "say said, rise rose, fall fell, make made, buy bought, sell sold",
}
sentences = [re.findall("[a-z]+", story.lower()) for story in decoded(data.train, WORD_STORIES)]
frequent = Counter(word for words in sentences for word in words).most_common(VOCABULARY)
vocabulary = [word for word, _ in frequent]
index = {word: place for place, word in enumerate(vocabulary)}
pairs = np.zeros((len(index), len(index)))
for words in sentences:
    numbers = np.array([index.get(word, -1) for word in words])
    for distance in range(1, 6):
        first, second = numbers[:-distance], numbers[distance:]
        known = (first >= 0) & (second >= 0)
        np.add.at(pairs, (first[known], second[known]), 1)
pairs += pairs.T
frequency = pairs.sum(axis=1) + 1e-9
noise = frequency**0.75 / np.sum(frequency**0.75)
information = np.log(np.maximum(pairs, 1e-300)) - np.log(np.outer(frequency, noise))
left, strengths, _ = svds(np.maximum(information, 0), k=min(100, VOCABULARY - 1), random_state=0)
vectors = left * np.sqrt(strengths)
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9


def nearest(vector, excluded, count=1):
    """Returns the words whose vectors have the largest cosine with a vector."""
    order = np.argsort(-(vectors @ vector))
    return [vocabulary[i] for i in order if vocabulary[i] not in excluded][:count]


for word in ("oil", "wheat", "february", "japan", "fell"):
    if word in index:
        print(f"{word:9} {', '.join(nearest(vectors[index[word]], [word], 5))}")
print("analogies: correct, by the nearest word alone, tested")
for relation, listed in RELATIONS.items():
    known = [
        pair for pair in (each.split() for each in listed.split(", ")) if set(pair) <= set(index)
    ]
    correct = alone = 0
    for (a, b), (c, d) in permutations(known, 2):
        va, vb, vc = (vectors[index[word]] for word in (a, b, c))
        correct += nearest(vb - va + vc, (a, b, c)) == [d]
        alone += nearest(vc, (a, b, c)) == [d]
    print(f"{relation:19} {correct:5} {alone:5} {len(known) * (len(known) - 1):5}")

# %% [markdown]
# Neighbors make sense: words from the same topic or with the same role. The arithmetic works for
# adjectives of countries about half of the time, and finds many that the nearest word alone does
# not find. For past tenses, it finds a sixth, and the nearest word alone none. For plurals, it is
# *worse* than the nearest word alone. With a million words of text, the famous examples are the
# exception; published tables use billions of words. Word vectors are also the first layer of the
# networks below, where they are trained for the prediction. The same idea with sentences in place
# of words is *skip-thought* (Kiros et al. 2015): a recurrent network encodes a sentence, and two
# decoders predict the sentences before and after it. The library does not contain skip-thought.
#
# ## 4. Recurrent networks
#
# The diagram compares the three families. Each family predicts a character from the preceding
# characters, but in a different way.
#
# ![Three ways to predict the letter s from the letters w, o, r, and d. The n-gram sees only the last two letters. In the recurrent network, each state depends on one letter and on the previous state. With causal self-attention, each position sees its own letter and all earlier letters.](diagrams/17_families.svg)
#
# *The prediction of the character s after "word". Left: from the last two characters. Middle: from
# a state, which is updated with each character. Right: from all characters at once.*
#
# An n-gram model ignores everything before its context. A **recurrent network** has a state $h_i$
# of fixed size. The network updates the state with each character, $h_i = f(h_{i-1}, x_{i-1})$, and
# predicts the next character from the state. The state can depend on the whole preceding text.
# Similar contexts can lead to similar states, so a prediction that was learned in one context
# carries over to similar contexts.
#
# Learning requires the gradient of later losses with respect to earlier states. With the Jacobian
# matrix $J_i$ of $h_i$ with respect to $h_{i-1}$, this gradient contains the product $J_i J_{i-1}
# \cdots J_{i-k}$. If all singular values are at most $\sigma < 1$, the product shrinks at least as
# fast as $\sigma^k$: the gradient **vanishes**. If singular values exceed 1, the gradient can
# **explode**, which is why gradients are clipped. The **LSTM** (Hochreiter and Schmidhuber 1997)
# adds a cell $c$ that is updated by a sum. With gates $f$, $i$, and $o$, and new content $g$,
#
# $$c_i = f \odot c_{i-1} + i \odot g, \qquad h_i = o \odot \tanh(c_i).$$
#
# The direct derivative of $c_i$ with respect to $c_{i-1}$ is the forget gate $f$. If this gate is
# close to 1, a value and its gradient are preserved for many steps. We implement the step and
# compare it with the library's layer.


# %%
def lstm(x, kernel, recurrent, bias):
    """Returns the states of an LSTM for inputs `[time, channels]`."""
    h = c = np.zeros(len(recurrent))
    states = []
    for now in x:
        o, f, i, g = np.split(now @ kernel + h @ recurrent + bias, 4)
        c = expit(f) * c + expit(i) * np.tanh(g)
        h = expit(o) * np.tanh(c)
        states.append(h)
    return np.array(states)


x = random.normal(size=(20, 6)).astype("float32")
layer = CausalLSTM(5)
expected = layer(x[None])[0].numpy()
difference = np.abs(lstm(x, *layer.get_weights()) - expected).max()
print(f"LSTM by hand and CausalLSTM: largest difference {difference:.0e}")

# %% [markdown]
# **Teacher forcing.** In training, the network receives the true preceding characters, so one pass
# over a passage gives all conditionals, and the sum of their logarithms is the exact
# log-likelihood. The loss therefore needs no sampling. Section 7 measures what happens when the
# network receives its own characters instead. (Chapter 7 shows that training on generated
# characters has the wrong optimum.)
#
# ## 5. Causal self-attention
#
# A recurrent network compresses the past into one state. **Attention** (Vaswani et al. 2017) keeps
# one vector for *every* position, and each position chooses among these vectors. From the vector
# $x_i$ of position $i$, linear maps compute a query $q_i$, a key $k_i$, and a value $v_i$. Position
# $i$ compares its query with the keys of positions $j \le i$, and averages the values of these
# positions:
#
# $$y_i = \sum_{j \le i} a_{ij} v_j, \qquad
# a_{ij} = \frac{\exp(q_i^T k_j / \sqrt d)}{\sum_{l \le i} \exp(q_i^T k_l / \sqrt d)}.$$
#
# **The mask** is the condition $j \le i$. In code, the scores of later positions are set to minus
# infinity, so that the weights of these positions are exactly 0, and the remaining weights sum
# to 1.
#
# **The scale.** Let the $d$ components of $q$ and $k$ be independent, with mean 0 and variance 1.
# Each product $q_c k_c$ has mean 0 and variance 1, so the sum $q^T k$ has the variance $d$. After
# division by $\sqrt d$, the variance is 1 for every $d$. Without the scale, scores for large $d$
# differ so much that one weight is almost 1. The derivative of the softmax, $a_j (1 - a_j)$, is
# then almost 0, and the queries and keys learn slowly. We measure the entropy of the weights and
# the sum of these derivatives for 64 positions.

# %%
print("  d    entropy, bits (scaled)   sum of a(1 - a) (scaled)")
for d in (1, 16, 256, 4096):
    query, keys = random.normal(size=(200, 1, d)), random.normal(size=(64, d))
    row = []
    for scale in (1, np.sqrt(d)):
        a = softmax((query @ keys.T)[:, 0] / scale, axis=1)
        row += [
            -np.sum(a * np.log2(a + 1e-300), axis=1).mean(),
            (a * (1 - a)).sum(axis=1).mean(),
        ]
    print(f"{d:5} {row[0]:10.2f} {f'({row[2]:.2f})':>9} {row[1]:18.3f} {f'({row[3]:.3f})':>9}")

# %% [markdown]
# **Heads.** Several heads are computed in parallel, each on its own part of the channels, so that a
# position can attend to several other positions for different reasons. The outputs of the heads are
# concatenated and passed through a linear map.


# %%
def attention(x, kernel, bias, output_kernel, output_bias, heads):
    """Returns the outputs `[time, channels]`, and the weights `[heads, time, time]`."""
    time_steps, channels = x.shape
    parts = np.split(x @ kernel + bias, 3, axis=1)
    shape = time_steps, heads, channels // heads
    queries, keys, values = (part.reshape(shape).transpose(1, 0, 2) for part in parts)
    scores = queries @ keys.transpose(0, 2, 1) / np.sqrt(channels // heads)
    visible = np.arange(time_steps)[:, None] >= np.arange(time_steps)
    weights = softmax(np.where(visible, scores, -np.inf), axis=2)
    mixed = (weights @ values).transpose(1, 0, 2).reshape(x.shape)
    return mixed @ output_kernel + output_bias, weights


x = random.normal(size=(20, 8)).astype("float32")
layer = CausalAttention(heads=2)
expected = layer(x[None])[0].numpy()
y, weights = attention(x, *layer.get_weights(), heads=2)
print(
    f"attention by hand and CausalAttention: largest difference {np.abs(y - expected).max():.0e}"
)

changed = x.copy()
changed[12:] += 1
difference = np.abs(attention(changed, *layer.get_weights(), heads=2)[0] - y).max(axis=1)
print(
    f"change positions 12 to 19: outputs 0 to 11 change by {difference[:12].max():.0e}", end=", "
)
print(f"outputs 12 to 19 by at least {difference[12:].min():.2f}")

# %% [markdown]
# **Positions.** The formula for $y_i$ is a sum over a *set* of earlier positions. If these
# positions are permuted, the sum does not change: for one layer of attention, the last output does
# not depend on the order of the earlier characters. (With several layers, the mask provides some
# information about the order, because each position sees a different set.) So a vector for each
# position is added to the inputs (`LearnedPositions`). In our network, these vectors are trained.
# Vaswani et al. (2017) use fixed sines and cosines of several frequencies $\omega$. For one
# frequency, the inner product of the vectors of positions $i$ and $j$ is
#
# $$\sin \omega i \sin \omega j + \cos \omega i \cos \omega j = \cos \omega (i - j),$$
#
# which depends only on the distance, and a shift by $k$ positions is a rotation by the angle
# $\omega k$. So one linear map of the queries can express "the character $k$ positions earlier" for
# all positions.


# %%
def sinusoids(length, channels):
    """Returns sines and cosines of the positions, `[length, channels]`."""
    frequencies = 1000.0 ** (-np.arange(channels // 2) / (channels // 2))
    angles = np.arange(length)[:, None] * frequencies
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


products = sinusoids(20, 8) @ sinusoids(20, 8).T
spread = max(np.ptp(np.diagonal(products, distance)) for distance in range(20))
print(f"inner products of positions at one distance differ by at most {spread:.0e}")

order = np.append(random.permutation(19), 19)  # the last position stays
positions = LearnedPositions(20)
positions.build((None, 20, 8))
positions.vectors.assign(sinusoids(20, 8))
for name, prepare in (("without positions", np.asarray), ("with positions", positions)):
    outputs = [layer(prepare(some[None]))[0, -1].numpy() for some in (x, x[order])]
    difference = np.abs(outputs[1] - outputs[0]).max()
    print(f"{name:17}: permuting earlier characters changes the last output by {difference:.0e}")

# %% [markdown]
# **The cache.** Text is sampled one character at a time. If each character requires a pass over the
# whole text so far, the keys and values of earlier positions are computed repeatedly. But they
# never change: because of the mask, nothing at an earlier position depends on later characters. So
# a sampler stores the keys and values, and computes the query, key, and value of the *new* position
# only. The outputs with and without the cache are equal:

# %%
kernel, bias, output_kernel, output_bias = layer.get_weights()
cached_keys, cached_values, outputs = [], [], []
for now in x:
    query, key, value = (part.reshape(2, 4) for part in np.split(now @ kernel + bias, 3))
    cached_keys.append(key)
    cached_values.append(value)
    scores = np.einsum("hd,thd->ht", query, np.array(cached_keys)) / np.sqrt(4)
    mixed = np.einsum("ht,thd->hd", softmax(scores, axis=1), np.array(cached_values))
    outputs.append(mixed.ravel() @ output_kernel + output_bias)
print(
    f"one position at a time and all at once: largest difference {np.abs(outputs - y).max():.0e}"
)

# %% [markdown]
# In a network with several blocks, the argument holds for every block. With vectors of $D$ numbers,
# the linear maps of a block cost about $12 D^2$ multiplications per position (4 $D^2$ in attention,
# 8 $D^2$ in the dense layers). Attention costs another $2 D$ multiplications for each pair of
# positions. For $T$ characters, sampling without a cache costs $T$ passes. With a cache, sampling
# costs as much as *one* pass. A recurrent network does not need a cache, because its state
# summarizes the past: the cost of a step does not depend on the length of the text. In contrast, a
# transformer's cache and the cost of its steps grow with the length of the text.
#
# A transformer block adds the output of attention to its input, and then adds the output of a dense
# layer applied at each position. `transformer` normalizes the inputs of both parts, as GPT-2 does
# (Radford et al. 2019).
#
# ## 6. Training and comparison
#
# `CharacterRNN` is the class for both networks, because it accepts any causal network, including
# the transformer. All models are trained on the same text. Both networks read the same number of
# passages, with the batch size and the learning rate that suit each network.


# %%
def trained(network, rate, batch):
    """Returns a model trained with a learning rate that decays to 0."""
    steps = PASSAGES // batch
    model = CharacterRNN(network, data.alphabet, LENGTH)
    model.compile(
        Adam(CosineDecay(rate, steps), beta_2=0.98, global_clipnorm=1.0),
        steps_per_execution=1 if QUICK else 25,
        run_eagerly=QUICK,
    )
    stream = Source(train[..., None], origin="stories").stream(batch, 0)
    start = time.process_time()
    quarters = min(steps, 4)
    fitted = model.fit(stream, steps_per_epoch=steps // quarters, epochs=quarters, verbose=0)
    per_character = len(train) / np.sum(train >= 0) / np.log(2)
    losses = ", ".join(f"{loss * per_character:.2f}" for loss in fitted.history["loss"])
    print(f"{network.name}: {network.count_params():,} weights", end=", ")
    print(f"{time.process_time() - start:.0f} s, bits in each quarter of training: {losses}")
    return model


print(f"each training passage is seen {PASSAGES / len(train):.2f} times on average")
recurrent = trained(character_rnn(LEVELS, UNITS, blocks=1, length=LENGTH), 1e-2, RNN_BATCH)
network = transformer(LENGTH, LEVELS, WIDTH, BLOCKS, heads=4)
attending = trained(network, 3e-3, TRANSFORMER_BATCH)

passage = test[:1]
logits = recurrent.network(passage[..., None]).numpy()[0]
terms = log_softmax(logits, axis=1)[np.arange(LENGTH), passage[0]]
print(f"log-probability of a passage by hand {terms[passage[0] >= 0].sum():.3f}", end=", ")
print(f"by the model {recurrent.log_prob(passage[..., None])[0]:.3f} nats")

# %% [markdown]
# **How certain is a comparison?** For each test *story* $s$ with $n_s$ characters, let $d_s$ be the
# difference between the bits of two models. The difference between the models in bits per character
# is a ratio, $\hat d = \sum_s d_s / \sum_s n_s$. Both sums vary with the stories. To first order,
# the error of $\hat d$ is the sum of the residuals $d_s - \hat d\, n_s$, divided by $\sum_s n_s$.
# So with $S$ independent stories,
#
# $$\mathrm{SE} = \frac{\sqrt{\frac{S}{S - 1} \sum_s (d_s - \hat d\, n_s)^2}}{\sum_s n_s}.$$
#
# Characters are not independent, and neither are passages of one story: a story about wheat is easy
# or hard as a whole. So the units in the formula must be stories. The difference is *paired*: both
# models are evaluated on the same stories, so the difficulty that they share cancels, as in
# [chapter 16](16_evaluation.md).

# %%
models = {
    "1-grams": by_order[0],
    f"{n_grams.order}-grams": n_grams,
    "LSTM": recurrent,
    "transformer": attending,
}
story_bits = {}
sizes_of = np.bincount(story_of, (test >= 0).sum(axis=1))
for name, model in models.items():
    passage_bits = -model.log_prob(test[..., None]) / np.log(2)
    story_bits[name] = np.bincount(story_of, passage_bits)


def ratio(totals, sizes):
    """Returns a sum of totals divided by the sum of sizes, and the standard error."""
    found = totals.sum() / sizes.sum()
    spread = np.sqrt(len(totals) / (len(totals) - 1) * np.sum((totals - found * sizes) ** 2))
    return found, spread / sizes.sum()


print("model          bits per test character   perplexity per word")
print(f"{'uniform':12} {np.log2(LEVELS):12.3f} {2 ** (np.log2(LEVELS) * per_word):30,.0f}")
for name, totals in story_bits.items():
    value, error = ratio(totals, sizes_of)
    print(f"{name:12} {value:12.3f} ± {error:.3f} {2 ** (value * per_word):22,.0f}")

best_count = f"{n_grams.order}-grams"
print()
for first, second in (
    (best_count, "LSTM"),
    (best_count, "transformer"),
    ("LSTM", "transformer"),
):
    value, error = ratio(story_bits[second] - story_bits[first], sizes_of)
    ahead, behind = (first, second) if value > 0 else (second, first)
    if abs(value) < 2 * error:
        print(f"{first} and {second}: not distinguishable, {value:.3f} ± {error:.3f} bits")
    else:
        print(
            f"{ahead} better than {behind} by {abs(value):.3f} ± {error:.3f} bits per character"
        )

# %% [markdown]
# Counting needs one pass over the text. Both networks were trained for about a minute or less. In
# such a short time, a network rarely matches the bits per character of n-grams. A transformer
# learns especially slowly at first: it must learn *where* the preceding characters are, whereas
# n-grams and recurrent networks receive the characters in a fixed order. More training changes the
# comparison. In our published runs on all stories, an LSTM trained for an hour needs 1.597 bits per
# character, compared with 1.65 for n-grams. But n-grams that also use the latest *words* need only
# 1.592 bits per character, so the LSTM should not be reported without this baseline. In the
# published run on words, the transformer has a clearly lower perplexity per word than the 5-grams
# (see the table at the end).
#
# Keep this result in mind in the following sections. With less than one pass over the text, these
# networks are *poor* language models. So section 7, which examines networks, shows a method, but its
# values do not carry over to better networks. Samplers need only the distribution of the next
# character, so sections 8 and 9 use the n-grams, the best model here.
#
# **Which context does a model use?** In a passage, later characters have more context. The left
# panel shows the bits per character by position. For the right panel, we replace one character of
# the context, at a distance $k$ before the prediction, with another character, and measure the
# divergence of the new prediction from the original prediction. For n-grams, the divergence is 0
# for distances of at least $n$.

# %%
full = test[(test >= 0).all(axis=1)][:200]
NETWORKS = "LSTM", "transformer"


def log_p(name, sequences):
    """Returns the log-probabilities of all characters at each position."""
    return log_softmax(models[name].network(sequences[..., None]).numpy(), axis=2)


def up_to(end):
    """Returns the bits by the n-grams of the first characters of full passages."""
    start = np.where(np.arange(LENGTH) < end, full, -1)
    return -n_grams.log_prob(start[..., None]).sum() / np.log(2)


ends = [2**power for power in range(LENGTH.bit_length())]
sums = [0.0, *map(up_to, ends)]
panels = {best_count: np.diff(sums) / np.diff([0, *ends]) / len(full)}
log_ps = {name: log_p(name, full) for name in NETWORKS}
for name in NETWORKS:
    terms = -np.take_along_axis(log_ps[name], full[..., None], axis=2)[..., 0] / np.log(2)
    panels[name] = [part.mean() for part in np.split(terms, ends[:-1], axis=1)]

distances = [2**power for power in range(LENGTH.bit_length() - 1)]
influence = {}
for name in NETWORKS:
    old = log_ps[name][:100, -1]
    influence[name] = []
    for distance in distances:
        other = full[:100].copy()
        other[:, -1 - distance] = np.roll(other[:, -1 - distance], 1)  # of another passage
        new = log_p(name, other)[:, -1]
        changed = other[:, -1 - distance] != full[:100, -1 - distance]
        divergence = np.sum(np.exp(old) * (old - new), axis=1)[changed].mean() / np.log(2)
        influence[name].append(divergence)

drawn = new_figure(10, 3.6)
axes, right = drawn.subplots(1, 2)
for (name, values), marker in zip(panels.items(), "os^", strict=True):
    axes.semilogx(ends, values, marker=marker, label=name, base=2)
axes.set(xlabel="position in the passage (end of interval)", ylabel="bits per character")
axes.legend()
for (name, values), marker in zip(influence.items(), "s^", strict=True):
    right.loglog(distances, values, marker=marker, label=name)
right.set(xlabel="distance of the changed character", ylabel="divergence, bits")
right.legend()
show(
    drawn, "context", "Bits by position (left), and the effect of one changed character (right)."
)

# %% [markdown]
# The predictions of all models improve over the first characters of a passage, in which the first
# words become recognizable. A close character has a far larger effect than a distant character.
# Where a curve in the left panel is flat, the model does not benefit from a longer context, even if
# its architecture allows a longer context. The window is an upper limit on the context that a model
# uses, not a measurement of it.
#
# ## 7. Generated contexts
#
# At generation time, the context consists of the model's own characters, including its errors
# (**exposure bias**, chapter 7). We give both networks the first quarter of test passages, let them
# continue the passages, and score the generated text with an independent model, the n-grams. If
# errors accumulate, the bits per character under the n-grams increase along the generated text, but
# not along the true continuation.
#
# One sampler suffices for this section and section 8. `sample_causal` passes to `draw` the logits
# of one position together with the noise of this position. Besides the random number, our noise
# contains a known character or -1, and the settings of section 8.


# %%
def kept(logits, temperature=1.0, top_k=LEVELS, top_p=1.0):
    """Returns sorted probabilities `[batch, levels]` after a filter, and their characters."""
    values, characters = tf.math.top_k(logits, LEVELS)
    p = tf.nn.softmax(values / tf.reshape(temperature, [-1, 1]))
    before = tf.cumsum(p, axis=1, exclusive=True)
    rank = tf.range(LEVELS, dtype=tf.float32)
    inside = (rank < tf.reshape(top_k, [-1, 1])) & (before < tf.reshape(top_p, [-1, 1]))
    p = tf.where(inside, p, 0.0)
    return p / tf.reduce_sum(p, axis=1, keepdims=True), characters


def draw(logits, noise):
    """Returns characters by the inverse of the distribution function, or the known ones."""
    uniform, known, *settings = tf.unstack(noise, axis=1)
    p, characters = kept(logits, *settings)
    place = tf.reduce_sum(tf.cast(tf.cumsum(p, axis=1) <= uniform[:, None], tf.int32), axis=1)
    place = tf.minimum(place, tf.math.count_nonzero(p, axis=1, dtype=tf.int32) - 1)
    drawn = tf.cast(tf.gather(characters, place, batch_dims=1), tf.float32)
    return tf.where(known >= 0, known, drawn)


def noise_of(known, settings):
    """Returns the input of `draw` for known characters `[n, LENGTH]` and settings `[n, 3]`."""
    settings = np.broadcast_to(np.asarray(settings)[:, None], (len(known), LENGTH, 3))
    uniform = random.random((*known.shape, 1))
    return np.concatenate([uniform, known[..., None], settings], axis=2)[:, :, None]


def sampler(network, cached=True):
    """Returns a function from noise to characters `[n, LENGTH]`."""

    @tf.function(input_signature=[tf.TensorSpec([None, LENGTH, 1, 5])], autograph=False)
    def sample(noise):
        return sample_causal(network, draw, noise, cached=cached)

    return lambda noise: sample(tf.constant(noise, tf.float32)).numpy()[..., 0].astype(int)


def until_end(sequences):
    """Returns sequences with padding after the end token."""
    ended = np.cumsum(sequences == LEVELS - 1, axis=1) - (sequences == LEVELS - 1)
    return np.where(ended > 0, -1, sequences)


PLAIN = (1.0, LEVELS, 1.0)  # temperature, k, and p without effect
prompts = np.where(np.arange(LENGTH) < LENGTH // 4, full[: 5 * SAMPLES], -1)
noise = noise_of(prompts, [PLAIN])
samplers = {name: sampler(models[name].network) for name in NETWORKS}
continued = {"test passages": full[: len(prompts)]}
for name, sample in samplers.items():
    continued[name] = until_end(sample(noise))

few = noise[: 2 if QUICK else 8]
ways = {"a pass for each character": sampler(attending.network, cached=False)}
for name, sample in (ways | {"cached": samplers["transformer"]}).items():
    sample(few)  # the first call compiles
    start = time.perf_counter()
    found = sample(few)
    print(f"{name:26} {time.perf_counter() - start:5.2f} s for {len(few)} texts", end=", ")
    same = np.mean(found == samplers["transformer"](few))
    print(f"{same:.1%} of the characters equal those of the cached sampler")

# %%
parts = [LENGTH * part // 8 for part in range(2, 9)]
judged = {}
for name, sequences in continued.items():
    judged[name] = []
    for start, end in pairwise(parts):
        sums, count = [], np.sum(sequences[:, start:end] >= 0)
        for limit in (start, end):
            cut = np.where(np.arange(LENGTH) < limit, sequences, -1)
            sums.append(n_grams.log_prob(cut[..., None]).sum() / np.log(2))
        judged[name].append((sums[0] - sums[1]) / max(count, 1))
    print(f"{name:14} " + ", ".join(f"{value:.2f}" for value in judged[name]))
centers = [end for end in parts[1:]]
plot = line_plot(
    {name: (centers, values) for name, values in judged.items()},
    "position in the passage (end of interval)",
    f"bits per character by the {n_grams.order}-grams",
)
show(
    plot,
    "drift",
    "Continuations of test passages, judged by the n-grams. The first quarter is given.",
)

# %% [markdown]
# The gap is the difference in bits per character between generated text and real text. The code
# computes whether the gap grows along the passage:

# %%
for name in NETWORKS:
    gap = np.array(judged[name]) - judged["test passages"]
    half = len(gap) // 2
    change = gap[half:].mean() - gap[:half].mean()
    print(f"{name:12} gap {gap[:half].mean():.2f} bits in the first half", end=", ")
    print(
        f"{gap[half:].mean():.2f} in the second half: it {'grows' if change > 0.1 else 'does not grow by more than 0.1 bits'}"
    )

# %% [markdown]
# Accumulating errors would make the gap grow. If the gap is already present at the beginning and
# remains about equal, it shows the difference between the model and the language, not an
# accumulation of errors. Here, the gap is so large from the first generated characters on that it
# could hide a drift: text that is already barely English cannot become much worse. So this
# experiment does not show that good models have no exposure bias. It shows how to look for it.
#
# ## 8. Temperature, top-k, and top-p
#
# Temperatures below 1, top-k, and top-p concentrate the distribution of the next character.
#
# A **temperature** $T$ divides the logits: $p_T(w) \propto p(w)^{1/T}$. With $\beta = 1 / T$ and
# logits $l$, the entropy in nats is $H = \log \sum_w e^{\beta l_w} - \beta\, E l$. The derivative
# of the first term with respect to $\beta$ is $E l$, so
#
# $$\frac{dH}{d\beta} = E l - E l - \beta \frac{d E l}{d\beta} = -\beta\, \mathrm{Var}(l) \le 0.$$
#
# So entropy never decreases with $T$. For $T \to 0$, only the likeliest character remains (**greedy
# decoding**), and for $T \to \infty$, all characters become equally likely.
#
# **Top-k** keeps the $k$ likeliest characters. The entropy is then at most $\log k$, even in
# contexts that allow more characters, and all $k$ characters remain possible, even in contexts that
# determine the next character. **Top-p**, or nucleus sampling (Holtzman et al. 2020), keeps the
# smallest set of likeliest characters whose total probability is at least $p$. So the set is small
# where the model is certain, and large where the model is uncertain.
#
# For both, let $S$ be the kept set. The new distribution is $q(w) = p(w) / p(S)$ on $S$, and
#
# $$\mathrm{KL}(q \,\|\, p) = \sum_{w \in S} q(w) \log \frac{1}{p(S)} = -\log p(S).$$
#
# For top-p, this is at most $-\log p$ for every context, about 0.15 bits for $p = 0.9$. For top-k,
# there is no bound better than $\log (V / k)$. In the other direction, $\mathrm{KL}(p \,\|\, q)$ is
# infinite: a truncated model assigns probability 0 to most texts, so it has no bits per character
# at all. **Bits describe the model at $T = 1$ without a filter.** They do not describe a sampler.

# %%
BEFORE = max(n_grams.order - 1, 1)  # characters that the n-grams see


def n_gram_logits(contexts):
    return np.log(n_grams.conditional(contexts)).astype("float32")


padded = np.pad(full, ((0, 0), (BEFORE, 0)), constant_values=-1)
contexts = np.lib.stride_tricks.sliding_window_view(padded, BEFORE, axis=1)[:, 1:LENGTH:8]
some = n_gram_logits(contexts.reshape(-1, BEFORE))
print(f"predictions of the {best_count}")


def entropies(p):
    """Returns the entropy of each row in nats."""
    return -np.sum(p * np.log(np.maximum(p, 1e-30)), axis=-1)


beta, step = 1.3, 1e-3
slope = (
    entropies(softmax((beta + step) * some.astype(float), axis=1))
    - entropies(softmax((beta - step) * some.astype(float), axis=1))
) / (2 * step)
p = softmax(beta * some, axis=1)
variance = np.sum(p * some**2, axis=1) - np.sum(p * some, axis=1) ** 2
print(
    f"slope of the entropy, largest error of the formula: {np.abs(slope + beta * variance).max():.0e}"
)

SETTINGS = {
    "no change": PLAIN,
    "temperature 0.7": (0.7, LEVELS, 1.0),
    "temperature 0.3": (0.3, LEVELS, 1.0),
    "top-k 5": (1.0, 5, 1.0),
    "top-p 0.9": (1.0, LEVELS, 0.9),
    "greedy": (1.0, 1, 1.0),
}
p = -np.sort(-softmax(some, axis=1), axis=1)
print("setting           entropy, bits   characters kept   KL(q | p), bits: mean, largest")
for name, setting in SETTINGS.items():
    q = kept(some, *(np.float32(value) for value in setting))[0].numpy()
    number = np.count_nonzero(q, axis=1).mean()
    divergence = np.sum(q * np.log2(np.maximum(q, 1e-30) / np.maximum(p, 1e-30)), axis=1)
    print(f"{name:16} {entropies(q).mean() / np.log(2):10.2f} {number:17.1f}", end="")
    print(f" {divergence.mean():18.2f}, {divergence.max():.2f}")
print(
    f"bound for top-p 0.9: {-np.log2(0.9):.2f} bits; for top-k 5: log2(V / 5) = {np.log2(LEVELS / 5):.2f}"
)

# %% [markdown]
# We now sample whole texts. For each setting, the n-grams generate passages without a prompt. We
# report the bits per character that the n-grams, without a filter, assign to the passages. We also
# report the percentage of words that occur in the training text, and the variety, which is the
# number of different 5-grams divided by the number of all 5-grams. Real test passages are the
# reference, and samples of the LSTM show how much worse a poor model is.


# %%
known_words = set(re.findall(r"[A-Za-z]+", book))


def as_texts(sequences):
    return ["".join(data.alphabet[c] for c in row if 0 <= c < LEVELS - 1) for row in sequences]


def report(texts):
    """Returns the fraction of whole words that are known, and of different 5-grams."""
    found = [word for text in texts for word in re.findall(r"(?<=\s)[A-Za-z]+(?=\s)", text)]
    fives = [text[i : i + 5] for text in texts for i in range(len(text) - 4)]
    known = np.mean([word in known_words for word in found]) if found else np.nan
    return known, len(set(fives)) / max(len(fives), 1)


def sampled_by_counts(noise):
    """Returns characters `[n, LENGTH]` that the n-grams generate from the input of `draw`."""
    sequences = np.full((len(noise), BEFORE + LENGTH), -1)
    for place in range(LENGTH):
        logits = n_gram_logits(sequences[:, place : place + BEFORE])
        now = tf.constant(noise[:, place, 0], tf.float32)
        sequences[:, place + BEFORE] = draw(tf.constant(logits), now)
    return sequences[:, BEFORE:]


settings = np.repeat(np.array(list(SETTINGS.values()), float), SAMPLES, axis=0)
noise = noise_of(np.full((len(settings), LENGTH), -1), settings)
outputs = until_end(sampled_by_counts(noise)).reshape(len(SETTINGS), SAMPLES, LENGTH)
generated = dict(zip(SETTINGS, outputs, strict=True))
generated["LSTM, no change"] = until_end(samplers["LSTM"](noise[:SAMPLES]))
generated["test passages"] = full[:SAMPLES]
print("setting          bits by the n-grams   known words   different 5-grams")
for name, sequences in generated.items():
    known, different = report(as_texts(sequences))
    print(f"{name:16} {bits(n_grams, sequences):16.2f} {known:16.1%} {different:16.1%}")
lines = [f"{name}: {as_texts(sequences)[0]!r}" for name, sequences in generated.items()]
show(text_page(lines), "texts", "The first text of each setting, and a test passage.")

# %% [markdown]
# Compare each row with the test passages. Without a filter, more than nine in ten words of the
# n-grams occur in the training text, and their bits per character are close to real text's. Every
# narrower distribution increases the percentage of known words, and reduces the bits per character
# and the variety. A temperature of 0.7, top-k, and top-p reduce the variety only to about real
# text's, but the bits far below it. Greedy decoding is deterministic, so without a prompt, all its
# texts are identical, and they soon repeat one phrase. They have the fewest bits of all, because the
# most probable text is not typical of the distribution (chapter 7, section 10). **Text with fewer
# bits than real text is not better text.** And no sampler adds what the model lacks: the n-grams see
# only a few characters, so their words are real, but their sentences make no sense.
#
# ## 9. Detecting copied text
#
# A generated text can be readable because it was copied. For each passage, we search for the
# **longest string that also occurs in the training text**. Real text also contains such strings:
# names, fixed phrases, and formats. So the reference is again the *test* text. A few copies do not
# change a median, so we also compare the 90% quantiles. Runs of spaces, as in tables, count as a
# single space.


# %%
single_spaced = " ".join(book.split())


def longest_copy(text):
    """Returns the length of the longest substring of the text that is in the book."""
    text, longest = " ".join(text.split()), 0
    for start in range(len(text)):
        while start + longest < len(text) and text[start : start + longest + 1] in single_spaced:
            longest += 1
    return longest


texts = {
    "training passages": as_texts(train[random.integers(len(train), size=SAMPLES)]),
    "test passages": as_texts(full[:SAMPLES]),
    f"Shannon, {LONGEST}-grams": shannon_texts[LONGEST],
    "Shannon, 4-grams": shannon_texts[4],
    best_count: as_texts(generated["no change"]),
    f"{best_count}, temperature 0.3": as_texts(generated["temperature 0.3"]),
    "LSTM": as_texts(generated["LSTM, no change"]),
}
copies = {
    name: np.sort([longest_copy(text) for text in some[:20]]) for name, some in texts.items()
}
print("longest copied string   median   90% quantile")
for name, lengths in copies.items():
    print(f"{name:22} {np.median(lengths):8.0f} {np.quantile(lengths, 0.9):14.0f}")
drawn = new_figure(9, 3.8)
axes = drawn.subplots()
for name, lengths in copies.items():
    axes.step(lengths, np.arange(1, len(lengths) + 1) / len(lengths), label=name, where="post")
axes.set(
    xlabel="longest copied string, characters", ylabel="fraction of the texts", xscale="log"
)
axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
show(
    drawn,
    "copies",
    "Longest strings that occur in the training text, for several sets of texts.",
)

# %%
reference = np.quantile(copies["test passages"], (0.5, 0.9))
for name in list(texts)[2:]:
    usual, high = np.quantile(copies[name], (0.5, 0.9)) / reference
    said = "more than real text" if max(usual, high) > 1.5 else "no more than real text"
    print(f"{name}: copies {said} (median {usual:.1f} times, 90% quantile {high:.1f} times)")

# %% [markdown]
# Text sampled from relative frequencies of long contexts contains whole phrases of the training
# text, which is why it reads well. The smoothed n-grams copy less than real text does, and at a low
# temperature, which prefers frequent phrases, about as much. The LSTM copies least, but that is not
# evidence of originality: a network that does not spell words cannot reproduce sentences. Larger
# models that are trained longer can store parts of their training text: Carlini et al. (2021)
# extracted hundreds of verbatim passages from GPT-2. Our search finds exact copies, not paraphrases.
#
# ## 10. Limits
#
# - **Bits average over characters.** An inconsistent story or a false number affects only a few
#   characters, so a model with few bits per character can state false facts fluently.
# - **The test text must be unseen.** Here, it is a later part of the same collection. A model
#   trained on text from the web may have seen its test text, and then its bits partly measure
#   memorization.
# - **Passages are short.** Every model in this chapter starts each passage without memory of the
#   preceding text, so none of these numbers measures the coherence of a long text.
# - **One training run per network.** The paired error does not include the variation over seeds,
#   learning rates, and training times, which may be far larger. The networks in this chapter are a
#   fraction of the size of published networks, and were trained for a fraction of the time.
#
# ## 11. Common claims, and what is true
#
# - **"N-grams are obsolete."** In section 6, n-grams need only one pass over the text. They remain
#   the reference for small datasets and short training, so report their results.
# - **"A lower perplexity means a better model."** That holds only for the same text and the same
#   units. A tokenizer with more pieces per word lowers the perplexity per piece without any
#   improvement (section 1).
# - **"Kneser-Ney uses unigram frequencies as the last resort."** Kneser-Ney smoothing counts
#   *contexts*, and the constraint in section 3 allows no other choice.
# - **"Attention knows the order of the words."** Without positions, the last output of a layer does
#   not change if the earlier characters are permuted (section 5).
# - **"A transformer uses its whole window."** Whether it does must be measured: in section 6, the
#   effect of one changed character decreases with distance.
# - **"Top-p sampling improves the model."** Top-p sampling changes only the sampler. The truncated
#   distribution assigns probability 0 to real text (section 8).
#
# ## Questions
#
# **1.** Model A has a perplexity of 20 per word piece, with 1.5 pieces per word. Model B has a
# perplexity of 70 per word. Both predict the same text, without unknown words. Which one is better?
#
# <details markdown="1"><summary>Answer</summary>
#
# Convert A: its bits per word are $1.5 \log_2 20 = 6.48$, so its perplexity per word is $20^{1.5} =
# 89$. B is better, with $\log_2 70 = 6.13$ bits per word, although its perplexity per unit looks
# larger.
#
# </details>
#
# **2.** Every bigram of a training text occurs exactly once. Which discount does the formula of
# section 3 give, and what does the model predict?
#
# <details markdown="1"><summary>Answer</summary>
#
# Because $n_2 = 0$, the discount is $D = n_1 / n_1 = 1$. Every discounted count is 0, so all
# probability goes to the shorter context. This is reasonable: if nothing occurs twice in its
# context, the counts of the contexts do not help to predict the next character.
#
# </details>
#
# **3.** Change the code: in section 5, remove the mask from `attention`, and train a transformer
# without it. What happens to the bits per character and to the generated text?
#
# <details markdown="1"><summary>Answer</summary>
#
# Each position can attend to the character that it should predict, because this character is the
# input of the next position. The bits per character fall toward 0, but they are not a code length
# under any distribution over texts. When text is generated, the later characters do not exist yet,
# so the samples are meaningless. `CharacterRNN` tests every network when the model is constructed,
# and rejects a network without a mask.
#
# </details>
#
# ## Where to go from here
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | characters, an LSTM | `CharacterRNN` | [character_rnn_reuters](../../recipes/character_rnn_reuters.py) | 1.597 bits per character; n-grams with words 1.592 | [Graves 2013](https://arxiv.org/abs/1308.0850) |
# | words, a transformer | `CharacterRNN` | [word_transformer_reuters](../../recipes/word_transformer_reuters.py) | perplexity per word 37.38; 5-grams 43.97 | [Radford et al. 2019](https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf) |
# | codes of images, a transformer | `ConditionalCodePrior` | [vq_gan_prior_cifar10](../../recipes/vq_gan_prior_cifar10.py) | 7.100 bits per code; counts of neighbors 7.952 | [Esser et al. 2021](https://arxiv.org/abs/2012.09841) |
