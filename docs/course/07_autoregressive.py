# %% [markdown]
# # 7. Autoregressive models
#
# An autoregressive model predicts the probability of each value in an example, given the preceding
# values. The product of these probabilities is the probability of the example. For any network that
# sees only earlier values, this product is exact, not a bound. Language models are autoregressive.
# Their drawback is slow sampling, because values are generated one after another.
#
# After this chapter, you can derive the chain rule, mask a network and prove that the mask is
# correct, and find the blind spot of PixelCNN. You can write the training step, compress images to
# files of nearly ideal length, and explain the effects of teacher forcing and temperature. Every
# network is compared with a baseline that only counts values in contexts.
#
# With `QUICK=1` in the environment, the chapter runs in seconds, on less data and with fewer steps.

# %%
import lzma
import os
import time

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from keras.optimizers.schedules import CosineDecay
from scipy.ndimage import label as connected

from keras_gen import MADE, PixelCNN
from keras_gen.autoregressive import sample_causal
from keras_gen.core import GenerativeModel
from keras_gen.core.kinds_of_data import Vectors
from keras_gen.data import Source, small_images
from keras_gen.layers import MaskedDense
from keras_gen.losses import Bernoulli
from keras_gen.networks import gated_pixel_cnn, made, pixel_cnn
from keras_gen.workshop.baselines.mixtures import BernoulliMixture
from keras_gen.workshop.baselines.n_grams import NGrams
from keras_gen.workshop.baselines.pixel_contexts import ContextTable
from keras_gen.workshop.visualize import captioned, line_plot, new_figure, seen_pixels, show

QUICK = bool(os.environ.get("QUICK"))
DIGITS = 600 if QUICK else 36_000  # maximum number of training digits; a sixth is held out
TESTED = 100 if QUICK else 5_000  # maximum number of test digits
CONTEXTS = (0, 4) if QUICK else (0, 2, 4, 8, 10, 12, 14, 16, 18, 20)  # pixels in a context
LENGTHS = (4,) if QUICK else (2, 8, 13, 14, 15)  # pixels for the n-grams
TEMPLATES = (5,) if QUICK else (100, 300)  # mixture sizes, from which one is chosen
UNITS = 195 if QUICK else 600  # units in the hidden layer of each MADE
STEPS = 2 if QUICK else 3000  # training steps for each
FILTERS = 2 if QUICK else 16  # for the Gated PixelCNN
COLOR_FILTERS = 3 if QUICK else 24  # for the color model, a third for each channel
BLOCKS = 1 if QUICK else 2
PIXEL_STEPS = 2 if QUICK else 1300  # training steps for the Gated PixelCNN
JUDGED = 20 if QUICK else 500  # digits to complete, and samples to count
PACKED = 1 if QUICK else 5  # digits that the network compresses
UNPACKED = 5 if QUICK else 196  # pixels of each digit to decompress

keras.utils.set_random_seed(0)
random = np.random.default_rng(0)

# %% [markdown]
# ## 1. The chain rule
#
# Let an example have $D$ values, $x_1, \ldots, x_D$. By the definition of a conditional
# probability, $p(x_1, x_2) = p(x_1) p(x_2 \mid x_1)$. Split off one value after another:
#
# $$p(x) = \prod_{i=1}^{D} p(x_i \mid x_1, \ldots, x_{i-1}).$$
#
# This is the **chain rule**. It makes no assumption: every distribution is such a product, for
# every order of the values. We check it for three bits. Their joint distribution is a table of
# eight probabilities. From this table, we compute the conditionals in two orders and multiply them.

# %%
joint = random.dirichlet(np.ones(8)).reshape(2, 2, 2)


def conditionals(joint, order):
    """Returns p(x_i | preceding bits in the order) for all values of the bits."""
    p = np.transpose(joint, order)
    for i in range(3):
        with_it = p.sum(axis=tuple(range(i + 1, 3)), keepdims=True)
        yield with_it / with_it.sum(axis=i, keepdims=True)


for order in ((0, 1, 2), (2, 0, 1)):
    first, second, third = conditionals(joint, order)
    error = np.abs(first * second * third - np.transpose(joint, order)).max()
    free = [part.size // 2 for part in (first, second, third)]
    print(
        f"order {order}: error of the product {error:.0e}, free numbers {free}, sum {sum(free)}"
    )

# %% [markdown]
# The conditional distribution of a bit is one number for each combination of the preceding bits. So
# the count doubles with each bit: 1, 2, and 4. The total is 7 numbers, as many as are needed for a
# table of eight probabilities that sum to 1. For an image of 196 bits, this total is $2^{196} - 1$,
# about $10^{59}$. So the chain rule alone does not save anything: a model needs fewer numbers to
# represent how $p(x_i \mid x_1, \ldots, x_{i-1})$ depends on the preceding values. But the chain
# rule has two advantages. Each conditional is easy to normalize: for a bit, one number between 0
# and 1 is enough. And the product of normalized conditionals is normalized: the sum over the last
# value is 1, then the sum over the second-to-last value is 1, and so on. So for any choice of
# normalized conditionals, the resulting probabilities sum to 1.
#
# **The data** are handwritten digits at half their size, 14 × 14 pixels. A pixel is 1 if the mean
# gray value is above one half. So a digit is a list of 196 bits. One part of the training digits is
# used for training, and another part is held out for model selection. The reported results are for
# the test digits.


# %%
def half_size(source, count):
    gray = source.take(count).arrays().astype("float32")
    gray = gray.reshape(-1, 14, 2, 14, 2, 1).mean(axis=(2, 4))
    return (gray > 127.5).astype("float32")  # [n, 14, 14, 1]


data = small_images("mnist", first=DIGITS)
print(data.warning or "the digits of MNIST")
digits = half_size(data.train, DIGITS)
train, held_out = np.split(digits, [len(digits) * 5 // 6])
test = half_size(data.test, TESTED)
PIXELS = 14 * 14
print(
    f"digits: {len(train):,} for training, {len(held_out):,} held out, {len(test):,} for testing"
)
print(f"no model at all, each pixel 1/2: {PIXELS * np.log(2):.1f} nats")

# %% [markdown]
# ## 2. Counting is the inexpensive baseline
#
# The oldest method uses only the last $k$ values. The conditional is then a table that contains how
# often the next value was 1 after each combination of these $k$ values. In text, this is an
# **n-gram** with $n = k + 1$. For images, we read the pixels row by row, and there are two types of
# context. We can use the last $k$ pixels in this order, most of which are on the left. Or we can
# use the $k$ *nearest* of all preceding pixels, some on the left and more in the rows above, as
# compression standards for scanned pages do (Langdon and Rissanen 1981). Both tables have $2^k$
# entries. For contexts that were rarely seen, `NGrams` and `ContextTable` also use the counts of
# shorter contexts.
#
# The loss is the mean of $-\log p(x)$ over digits, in nats: the **negative log-likelihood**, NLL.


# %%
def nll(model, images):
    return -model.log_prob(images).mean()


def levels(images):
    return images.astype("uint8")


def line_of_pixels(images):
    return levels(images).reshape(len(images), -1)


tables = {k: ContextTable(k).fit(levels(train)) for k in CONTEXTS}
by_tables = {
    "nearest pixels, training digits": [nll(t, levels(train)) for t in tables.values()],
    "nearest pixels, held-out digits": [nll(t, levels(held_out)) for t in tables.values()],
}
n_grams = [NGrams(k + 1, levels=2).fit(line_of_pixels(train)) for k in LENGTHS]
by_n_grams = [nll(model, line_of_pixels(held_out)) for model in n_grams]
best = min(tables, key=lambda k: by_tables["nearest pixels, held-out digits"][CONTEXTS.index(k)])
table = tables[best]
print(f"best table on held-out digits: {best} nearest pixels")
lines = {name: (CONTEXTS, values) for name, values in by_tables.items()}
lines["last pixels read, held-out digits"] = (LENGTHS, by_n_grams)
plot = line_plot(lines, "pixels of the context, k", "NLL, nats")
show(
    plot,
    "contexts",
    "NLL of pixel predictions from counts for contexts of k pixels. Longer contexts soon overfit.",
)

# %% [markdown]
# There are two lessons. First, the *position* of the context matters more than its length: the
# eight most recent pixels are far less informative than the two nearest pixels, one of which is
# above. The 13th and the 14th most recent pixels are in the row above. Mostly because of these two
# pixels, the n-gram's NLL falls by more than 16 nats from a context of 8 pixels to a context of 14
# pixels. Without any context, all pixels share one probability, and the NLL is higher than with one
# probability per position. Second, with longer contexts, the training digits become more and more
# likely, but held-out digits become less likely at 18 pixels: most of the $2^{18}$ contexts are
# rare, and a rare context provides little information about the next pixel. A table cannot
# recognize that two contexts are similar, but a network can.
#
# A second baseline does not use any order. A **Bernoulli mixture** has a few hundred templates,
# gray images of pixel probabilities. The mixture samples one template, and then samples each pixel
# independently. So the pixels depend on each other only through the template: given the template,
# no pixel depends on its neighbors.

# %%
mixtures = [BernoulliMixture(train, count, iterations=12) for count in TEMPLATES]
mixture = max(mixtures, key=lambda fitted: fitted.log_prob(held_out).mean())
print(f"best mixture on held-out digits: {len(mixture.weights)} templates")
for name, value in {
    "each pixel on its own": nll(BernoulliMixture(train, 1), held_out),
    "table of the nearest pixels": nll(table, levels(held_out)),
    "mixture": nll(mixture, held_out),
}.items():
    print(f"{name:28} {value:6.2f} nats of held-out digits")

# %% [markdown]
# ## 3. MADE: masks, and their proof
#
# Can *one* network compute all conditionals at once? Output $i$ of such a network must not depend
# on $x_i$ or on later values. Otherwise, the product of the conditionals is not a probability,
# because a network that sees $x_i$ can just copy it. MADE (Germain et al. 2015) removes connections
# from an ordinary network.
#
# Give each unit a number, its **degree**. Input $j$ has degree $j$. A hidden unit of degree $m$ may
# see units with degrees up to $m$. Output $i$ may see hidden units with degrees *below* $i$. Follow
# any path from input $j$ to output $i$, through hidden units of degrees $m_1, m_2, \ldots$:
#
# $$j \le m_1 \le m_2 \le \ldots < i.$$
#
# So $j < i$ along every path: output $i$ depends only on the values before $i$. In matrix form, let
# the masks $M_1, M_2, \ldots$ have a 1 where a connection is allowed. An entry of the product of
# the masks counts the paths from an input to an output. If rows are inputs and columns are outputs,
# the product must be 0 on and below the diagonal. Above the diagonal, the product should be
# positive, because otherwise outputs ignore some of the earlier values.
#
# ![MADE with four inputs, four hidden units of degrees 1, 2, 3, and 2, and four outputs. Lines lead from an input only to hidden units of the same or a higher degree, and from a hidden unit only to outputs of a higher degree.](diagrams/07_made.svg)
#
# *MADE for four values. Numbers are degrees. No path leads to output 1, and none starts at input 4.*
#
# Counting paths proves that no information leaks. To test the code, we compute the whole Jacobian
# of the outputs with respect to the inputs, with random weights. Where the masks leave a path open,
# the derivative would be exactly 0 only by chance.

# %%
D = 8
inputs = np.arange(1, D + 1)
hidden = np.arange(24) % (D - 1) + 1  # degrees 1 to 7 in turn
masks = [
    inputs[:, None] <= hidden,  # input -> first hidden layer
    hidden[:, None] <= hidden,  # -> second
    hidden[:, None] < inputs,  # -> output: strictly below
]
paths = masks[0].astype(int) @ masks[1] @ masks[2]
before = inputs[:, None] < inputs  # where input j comes before output i
print("paths that leak:", paths[~before].sum(), "  fewest allowed paths:", paths[before].min())

network = keras.Sequential(
    [
        keras.Input((D,)),
        MaskedDense(hidden.tolist(), inputs.tolist(), activation="tanh"),
        MaskedDense(hidden.tolist(), hidden.tolist(), activation="tanh"),
        MaskedDense(inputs.tolist(), hidden.tolist(), strict=True),
    ]
)
x = tf.constant(random.normal(size=(1, D)), tf.float32)
with tf.GradientTape() as tape:
    tape.watch(x)
    outputs = network(x)
jacobian = tape.batch_jacobian(outputs, x)[0].numpy().T  # rows are inputs
print("largest derivative that leaks:", np.abs(jacobian[~before]).max(), end="  ")
print(f"smallest allowed one: {np.abs(jacobian[before]).min():.0e}")

drawn = new_figure(10.5, 2.9)
panels = {
    "first mask": masks[0],
    "last mask": masks[2],
    "paths": paths,
    "Jacobian, size": np.abs(jacobian) ** 0.5,
}
for axes, (name, matrix) in zip(drawn.subplots(1, 4), panels.items(), strict=True):
    axes.imshow(matrix, cmap="gray_r", aspect="auto")
    axes.set(title=name, xticks=[], yticks=[])
    axes.set_ylabel("hidden unit" if name == "last mask" else "input")
    axes.set_xlabel("hidden unit" if name == "first mask" else "output")
show(
    drawn,
    "masks",
    "White is 0: no connection, no path, no derivative. Output 1 depends on nothing at all.",
)

# %% [markdown]
# The first output sees no inputs: its bias alone is the logit of $p(x_1)$. If the last mask also
# allows equal degrees, the diagonal is no longer 0: output $i$ sees $x_i$. This mistake is easy to
# make, and the training loss then looks excellent. So before the library's models accept a network,
# they test it with random weights:

# %%
leaking = keras.Sequential(
    [
        keras.Input((D,)),
        MaskedDense(hidden.tolist(), inputs.tolist(), activation="tanh"),
        MaskedDense(inputs.tolist(), hidden.tolist()),  # no strict=True
    ],
    name="leaking",
)
try:
    MADE(leaking, "bernoulli")
except ValueError as error:
    print(str(error).split(";")[0])

# %% [markdown]
# ## 4. The training step
#
# The loss is the NLL. The network receives a digit and returns all 196 conditionals in one pass, as
# logits: the **logit** of a probability $q$ is $l = \log q - \log(1 - q)$, so that $q = 1 / (1 +
# e^{-l})$, and $\log(1 - q) = -\log(1 + e^l)$, which is minus the softplus of $l$. A loop over
# pixels is not needed, because in training, all pixels are known. `GenerativeModel` provides the
# optimizer, the data check (`prepare_batch`), and the update (`minimize`).


# %%
class PlainAutoregressive(GenerativeModel):
    """Models bits given the preceding ones; the network is causal and returns logits."""

    def __init__(self, network, **kwargs):
        super().__init__(**kwargs)
        self.network = network
        self.edges["x"] = Vectors((PIXELS,))

    def train_step(self, data):
        x = self.prepare_batch(data)["x"]

        def negative_log_likelihood():
            logits = self.network(x, training=True)
            # log p(x_i | before) is x l - softplus(l): log D if x = 1, log(1 - D) if x = 0.
            log_p = x * logits - tf.nn.softplus(logits)
            return -tf.reduce_sum(log_p, axis=1)  # the chain rule

        return self.report(loss=self.minimize(negative_log_likelihood))


def trained(model, examples, rate, steps, batch):
    """Trains with a learning rate that decays to 0; prints the loss of each quarter."""
    quarters = min(steps, 4)
    model.compile(
        Adam(CosineDecay(rate, steps)),
        steps_per_execution=1 if QUICK else 50,
        run_eagerly=QUICK,
    )
    stream = Source(examples, origin="digits").stream(batch, 0)
    fitted = model.fit(stream, steps_per_epoch=steps // quarters, epochs=quarters, verbose=0)
    print("loss of each quarter:", ", ".join(f"{loss:.2f}" for loss in fitted.history["loss"]))


def flat(images):
    return images.reshape(len(images), -1)


network = made(PIXELS, outputs_per_value=1, hidden=(UNITS,))
plain = PlainAutoregressive(network)
trained(plain, flat(train), 3e-3, STEPS, 100)

# %% [markdown]
# The class `MADE` has the same step, and adds sampling, probabilities, checks, and saving. The
# class accepts the network unchanged, so the new model is already trained:

# %%
by_rows_made = MADE(network, "bernoulli")
log_p = by_rows_made.log_prob(flat(held_out))
logits = network(flat(held_out)).numpy()
by_hand = np.sum(flat(held_out) * logits - np.logaddexp(0, logits), axis=1)
print(f"NLL of held-out digits by MADE {-log_p.mean():.3f}, by hand {-by_hand.mean():.3f} nats")

# %% [markdown]
# **Teacher forcing.** In training, each conditional sees the *true* preceding pixels, and never
# pixels that the model has generated. The name comes from recurrent networks, where teacher forcing
# is a choice. In this chapter, teacher forcing follows from the chain rule, because each
# conditional in $\log p(x)$ depends on the true values. Section 9 returns to teacher forcing.
#
# ## 5. PixelCNN: masks of convolutions, and the blind spot
#
# A stroke looks the same at every position, but MADE has to learn it separately for each pixel.
# PixelCNN (van den Oord et al. 2016) uses convolutions, which have the same weights everywhere. A
# kernel may see the rows above the current pixel, and pixels to the left in its own row. For the
# pixel itself, there are two masks:
#
# - **mask A**, in the first layer: the pixel itself is excluded, because it is predicted;
# - **mask B**, in all later layers: a position may see itself, because its maps no longer contain
#   the pixel itself.
#
# With more layers, each pixel sees farther. Does it see *all* preceding pixels? Count the moves. A
# layer with kernel size $2m + 1$ can look 1 to $m$ rows up, and then up to $m$ columns to either
# side. Or it can look within the row, but then only to the **left**. So every move to the right
# requires a move up in the same layer. Let the first layer have $m = 3$, and let $n$ further layers
# have $m = 1$. To see as far to the right as possible in the row that is $r$ rows above, move up
# one row in each of $r$ layers, including the first layer. With at least $r - 1$ further layers,
# the number of columns to the right is then at most
#
# $$3 + (r - 1) = r + 2.$$
#
# This limit does not depend on the number of layers. Pixels farther to the right in the rows just
# above are the **blind spot**, which additional layers cannot remove. Additional layers extend the
# receptive field in the other directions: $3 + n$ rows above, and $3 + n$ columns to the left.
#
# **Two stacks.** Gated PixelCNN (van den Oord et al. 2016, the second paper) has a *vertical*
# stack, which sees only rows above, equally far to the right and to the left, and a *horizontal*
# stack for the pixel's own row. The vertical stack does not need a mask within a row, so there is
# no blind spot. The horizontal stack receives the output of the vertical stack. We compare the
# pixels that these moves can reach with the pixels that have a nonzero gradient:


# %%
def seen_by_formula(layers, stacks, row=7, column=7):
    """Returns the preceding pixels seen from (row, column): one 7x7 kernel, then 3x3."""
    up, right = row - np.arange(14)[:, None], np.arange(14) - column
    reach = 3 + layers
    to_the_right = reach if stacks == 2 else np.minimum(up + 2, reach)
    above = (up > 0) & (up <= reach) & (right >= -reach) & (right <= to_the_right)
    return above | ((up == 0) & (right < 0) & (right >= -reach))


def with_two_stacks(blocks):
    return gated_pixel_cnn((14, 14, 1), 1, filters=4, blocks=blocks, kernel=3, levels=2)


def with_one_stack(blocks):
    return pixel_cnn((14, 14, 1), 1, filters=4, blocks=blocks, levels=2)


pictures = {}
for layers, stacks in ((1, 1), (9, 1), (1, 2), (9, 2))[:: 3 if QUICK else 1]:
    network = with_one_stack(layers) if stacks == 1 else with_two_stacks(layers)
    for weight in network.trainable_variables:  # some begin as zeros, which see nothing
        weight.assign(random.normal(size=weight.shape))
    picture = seen_pixels(network, row=7, column=7)
    by_gradient = np.all(picture[::8, ::8] == 255, axis=-1)
    differ = np.sum(by_gradient != seen_by_formula(layers, stacks))
    name = f"{'PixelCNN' if stacks == 1 else 'Gated'}, {layers} + 1 layers"
    unseen = 7 * 14 + 7 - by_gradient.sum()
    print(f"{name:22} not seen of 105 pixels before: {unseen:3}; formula differs at {differ}")
    pictures[name] = picture
show(
    captioned([np.stack(list(pictures.values()))], column_names=list(pictures)),
    "blind_spot",
    "Receptive field of the blue pixel, from gradients. White pixels are seen, red pixels precede"
    " the blue pixel but are not seen, and dark pixels come later.",
)

# %% [markdown]
# Additional layers shrink the red area on the left and above, but not the corner on the right. With
# enough layers, the network with two stacks sees all preceding pixels.
#
# **Gates.** The second paper also replaces the nonlinearity with $\tanh(a) \cdot s(b)$, where $s$
# is the sigmoid, and $a$ and $b$ are two feature maps. Map $a$ provides the content, and map $b$
# determines how much of the content passes. LSTMs also contain such products. In our published runs
# on digits of 28 × 28 pixels, the NLL is 87.01 nats for a PixelCNN with 12 blocks. A Gated PixelCNN
# with five blocks, which was trained 1.5 times as long, reaches 84.97 nats (83.74 nats with eight
# blocks and more filters).
#
# **PixelRNN** (van den Oord et al. 2016, the first paper) fills the receptive field with recurrence
# instead of depth. In the *Row LSTM*, the state of a pixel depends on the states of three pixels in
# the row above, so a state that is $j$ rows higher can contribute from at most $j$ columns to either
# side: a triangle. In the *Diagonal BiLSTM*, the state depends on the states of the pixel above and
# of the pixel to the left, and a second LSTM scans from the right, one row higher. A single layer
# then sees almost all preceding pixels. The price is time: the states of a row, or of a diagonal,
# have to wait for the states before them, so training is not parallel over pixels. The first paper
# reports a better likelihood than for its PixelCNN. The class is `PixelRNN`.
#
# ![Receptive fields of one pixel: a triangle for the Row LSTM, and almost all preceding pixels for the Diagonal BiLSTM.](../pictures/pixel_rnn.png)
#
# *Receptive fields of single LSTM layers with a first kernel of size 3, from gradients. White pixels are seen, and red pixels precede the blue pixel but are not seen.*
#
# **A PixelCNN as the decoder of a VAE**, `PixelVAE` (Gulrajani et al. 2017), combines this chapter
# with [chapter 4](04_vae.md): $p(x \mid z) = \prod_i p(x_i \mid x_1, \ldots, x_{i-1}, z)$. This
# decoder can model details without any latents, and so it invites posterior collapse. Average the
# bound over the data: with the aggregate posterior $q(z) = E_x q(z \mid x)$ and the mutual
# information $I(x, z)$ between an image and its latents,
#
# $$E \log p(x \mid z) - I(x, z) - \mathrm{KL}(q(z), p(z)).$$
#
# So each nat of information costs one nat. A decoder with independent pixels needs the latents to
# make pixels agree, and gains more than it pays. But if the decoder represents $p(x)$ exactly without
# latents, the latents gain nothing, and $I(x, z) = 0$ is optimal. In our published run, a narrow
# PixelCNN in the decoder lowers the divergence from 31.3 to 5.4 nats: the latents keep the coarse
# shape, and the PixelCNN draws the strokes. Restricting the decoder's receptive field, or free bits,
# are the usual remedies.
#
# `PixelCNN` is the class for both networks, and adds completions to the capabilities of MADE.

# %%
network = gated_pixel_cnn((14, 14, 1), 1, filters=FILTERS, blocks=BLOCKS, kernel=5, levels=2)
gated = PixelCNN(network, "bernoulli")
trained(gated, train, 1e-2, PIXEL_STEPS, 32)
for name, model, shape in (("MADE", by_rows_made, flat), ("Gated PixelCNN", gated, np.asarray)):
    print(f"{name:15} {model.network.count_params():7,} weights", end=", ")
    print(f"training digits {nll(model, shape(train[:5000])):.2f}", end=", ")
    print(f"held-out digits {nll(model, shape(held_out)):.2f} nats")

# %% [markdown]
# The Gated PixelCNN has a ninth as many weights as MADE, and a slightly lower NLL on held-out
# digits than this MADE. (Section 6 trains a better MADE.) The Gated PixelCNN's loss on held-out
# digits is also closer to its loss on training digits, because MADE has begun to memorize the
# training digits.
#
# ## 6. Orders
#
# The chain rule holds in every order. So a perfect model would have the same NLL in each order. But
# the NLL of a network depends on the order, because some conditionals are easier to learn than
# others. We train two more MADEs, one from the bottom up and one in a random order. Each order only
# requires a permutation of the data.

# %%
orders = {
    "rows from the top": np.arange(PIXELS),
    "rows from the bottom": np.arange(PIXELS)[::-1],
    "random order": random.permutation(PIXELS),
}
mades = {"rows from the top": by_rows_made}
for name in list(orders)[1:]:
    mades[name] = MADE(made(PIXELS, outputs_per_value=1, hidden=(UNITS,)), "bernoulli")
    trained(mades[name], flat(train)[:, orders[name]], 3e-3, STEPS, 100)


def by_orders(images):
    """Returns log p of the images for each MADE and for their mean probability."""
    found = {name: mades[name].log_prob(flat(images)[:, orders[name]]) for name in orders}
    together = np.logaddexp.reduce(list(found.values())) - np.log(len(found))
    return found | {"mean of the three": together}


for name, log_p in by_orders(held_out).items():
    print(f"{name:22} {-log_p.mean():.2f} nats per held-out digit")

# %% [markdown]
# Here, the random order has the lowest NLL. A plausible reason is that its first pixels are spread
# over the image and soon reveal the class of the digit, and that its last pixels have known
# neighbors on all sides. For a dense network, scattered pixels are not a disadvantage, but for a
# convolution, they would be. (This result is for one random order, trained once.)
#
# The last line averages the *probabilities* of the three models for each digit. By Jensen's
# inequality, the logarithm of a mean is at least the mean of the logarithms. So the NLL of this
# mixture is never higher than the average NLL of the three models, and here it is even slightly
# lower than the lowest of the three NLLs.
#
# ## 7. Test digits and samples
#
# Now that all choices are made, we evaluate the models on the test digits. **Bits per dimension**
# are nats divided by $196 \log 2$. They measure how many bits an ideal code needs per pixel
# (section 11).
#
# To sample a digit, sample $x_1$ from its conditional, insert it, sample $x_2$, and so on. For the
# mixture, we sample a template and then its pixels. We also evaluate one property that the
# likelihood does not measure: most digits are a single connected piece of ink. We count images with
# more than one piece, where pixels that touch at a corner are connected.


# %%
def in_pieces(images):
    """Returns the fraction of images [n, 14, 14, 1] with more than one piece of ink."""
    counts = [connected(image[..., 0] > 0, np.ones((3, 3)))[1] for image in images]
    return np.mean(np.array(counts) > 1)


def mixture_samples(count):
    chosen = random.choice(
        len(mixture.weights), count, p=mixture.weights / mixture.weights.sum()
    )
    white = random.random((count, PIXELS)) < mixture.probabilities[chosen]
    return white.reshape(-1, 14, 14, 1).astype("float32")


made_log_p = by_orders(test)
log_p = {
    "each pixel on its own": BernoulliMixture(train, 1).log_prob(test),
    "table of nearest pixels": table.log_prob(levels(test)),
    "mixture": mixture.log_prob(test),
    "MADE": made_log_p["rows from the top"],
    "three MADEs, averaged": made_log_p["mean of the three"],
    "Gated PixelCNN": gated.log_prob(test),
}
drawn = {
    "mixture": mixture_samples(JUDGED),
    "MADE": by_rows_made.sample(JUDGED, seed=1).reshape(-1, 14, 14, 1),
    "Gated PixelCNN": gated.sample(JUDGED, seed=1),
}
print("test digits                  NLL, nats       bits per pixel   samples in pieces")
for name, values in log_p.items():
    error = values.std() / len(values) ** 0.5
    bits = -values.mean() / (PIXELS * np.log(2))
    pieces = f"{in_pieces(drawn[name]):12.1%}" if name in drawn else ""
    print(f"{name:24} {-values.mean():9.2f} ± {error:.2f} {bits:16.3f} {pieces}")
print(f"test digits themselves {in_pieces(test):47.1%}")


# %%
def as_uint8(images):
    return (255 * (images > 0)).astype("uint8")


rows = [as_uint8(test[:14]), *(as_uint8(images[:14]) for images in drawn.values())]
names = ["test digits", *drawn]
show(captioned(rows, names), "samples", "Test digits, and the first samples of three models.")

# %% [markdown]
# In NLL, all networks are better than the counting baselines. The samples lead to a different
# ranking. MADE's NLL is more than two nats lower than the NLL of the mixture, but *more* of MADE's
# samples are in pieces. The Gated PixelCNN's NLL is less than half a nat lower than MADE's, but
# only half as many of its samples are in pieces. This fraction is still well over twice as large as
# for test digits. A likelihood averages over all errors of a model, and does not show *which*
# errors the model makes.
#
# ### Colors
#
# The pixel of a color image has three values. The chain rule stays the same, with the order row,
# pixel, channel: the conditional of red depends on the preceding pixels, that of green also on red,
# and that of blue on both. So the masks also divide the maps of a layer into three groups, one per
# channel.
#
# To know the right answer, we paint each digit with one of seven colors: each channel of the ink is
# 0 or 1, but not all are 0. The color is independent of the shape, so
#
# $$p(\text{image}) = \frac{1}{7}\, p(\text{shape}),$$
#
# and the best NLL is the best NLL of the shapes plus $\log 7 \approx 1.95$ nats. The first pixel of
# ink costs $\log 7$, and a model that has understood the data repeats its color for all other
# pixels at no cost.

# %%
INKS = np.array([[n >> 2, n >> 1 & 1, n & 1] for n in range(1, 8)], "float32")


def painted(images):
    return images * INKS[random.integers(7, size=len(images))][:, None, None]


def of_one_color(images):
    """Returns the fraction of images [n, 14, 14, 3] with only one color of ink."""
    return np.mean([len(np.unique(image[image.any(2)], axis=0)) < 2 for image in images])


network = gated_pixel_cnn(
    (14, 14, 3), 1, filters=COLOR_FILTERS, blocks=BLOCKS, kernel=5, levels=2
)
colored = PixelCNN(network, "bernoulli")
trained(colored, painted(train), 1e-2, PIXEL_STEPS, 32)
painted_test = painted(test)
templates = BernoulliMixture(painted(train), TEMPLATES[-1])
known = gated.log_prob(test) - np.log(7)
print("painted test digits                    NLL, nats   bits per value")
for name, values in {
    f"mixture of {TEMPLATES[-1]}": templates.log_prob(painted_test),
    "Gated PixelCNN of colors": colored.log_prob(painted_test),
    "Gated PixelCNN of shapes, one color": known,
}.items():
    error = values.std() / len(values) ** 0.5
    bits = -values.mean() / (3 * PIXELS * np.log(2))
    print(f"{name:35} {-values.mean():6.2f} ± {error:.2f} {bits:15.4f}")
in_color = colored.sample(JUDGED, seed=1)
one_color = of_one_color(in_color)
print(f"samples of one color: {one_color:.1%}, -log {-np.log(one_color):.2f}")
in_any_ink = np.logaddexp.reduce([colored.log_prob(test * ink) for ink in INKS])
of_color = colored.log_prob(painted_test) - in_any_ink
print(f"the shape in any one color: {-in_any_ink.mean():.2f} nats", end=", ")
print(f"its color, given the shape: {-of_color.mean():.2f} nats")
show(
    captioned(
        [as_uint8(part) for part in (painted_test[:14], in_color[:14], in_color[14:28])],
        ["test digits", "samples", "samples"],
    ),
    "colors",
    "Painted test digits, and the first samples of a Gated PixelCNN of three channels.",
)

# %% [markdown]
# The network is not told that a digit has one color, but about half of its samples have only one:
# it has to carry the color from pixel to pixel, and if it errs once, it continues with the wrong
# color (section 9). A mixture needs a template for each shape in each color, and is far behind. But
# the knowledge that we put into the last row, a shape and *then* a color, is worth several nats.
# Where does the network lose them? The sum of its probabilities of a digit in all seven inks is the
# probability of the shape in any one color, so the NLL is the sum of the two parts in the last
# line. The color costs more than the necessary $\log 7$, but most of the difference is in the
# shapes, for which each channel has fewer maps (question 4).
#
# ## 8. The cost of sampling
#
# The loss needs one pass for all pixels. Sampling generates pixels one after another, because each
# pixel is an input for the next pixel. In the simple version, each of $N$ pixels requires a pass
# over all $N$ positions, and only one of the $N$ outputs is used, so the cost is $N^2$ positions.
# But the feature maps at earlier pixels no longer change, because they do not depend on later
# pixels. So a sampler caches these maps and computes each layer only at the current pixel. The cost
# is then $N$ positions, as for *one* pass. Sampling remains a loop of $N$ small steps, each of
# which depends on the previous step. `sample_causal` supports both ways.


# %%
def draw(logits, noise):
    return Bernoulli().draw(logits[:, None], noise[:, None, None])[:, 0]


noise = tf.constant(random.random((4 if QUICK else 64, 14, 14, 1)), tf.float32)
made_images = {}
for way, cached in (("a pass for each pixel", False), ("cached", True))[1 if QUICK else 0 :]:
    sampler = tf.function(lambda z, c=cached: sample_causal(gated.network, draw, z, cached=c))
    sampler(noise)  # the first call compiles
    start = time.perf_counter()
    made_images[way] = sampler(noise).numpy()
    print(f"{way:22} {time.perf_counter() - start:6.2f} s for {len(noise)} samples")
start = time.perf_counter()
gated.log_prob(made_images["cached"])
print(f"their probability      {time.perf_counter() - start:6.2f} s, in one pass")
ways = list(made_images.values())
print("pixels that differ:", np.sum(ways[0] != ways[-1]))

# %% [markdown]
# The noise determines the sample, so both ways generate the same digits.
#
# ## 9. Accumulating errors
#
# Training uses true pixels, and sampling uses generated pixels. If the model makes an error, it
# continues from preceding pixels unlike any in training, and is likely to make more errors. This
# effect is called **exposure bias**. How large is it? We begin with a simple calculation. If each
# of 196 pixels is right with probability 0.99, regardless of the preceding pixels, the whole digit
# is right with probability $0.99^{196} = 0.14$. Errors do not become more frequent along the way,
# yet most digits are broken. So long samples require small errors, with or without exposure bias.
#
# Now we measure the errors. We give the model the upper rows of test digits and let it generate the
# remaining rows.

# %%
ROWS = (14, 7) if QUICK else (14, 12, 10, 8, 6, 4, 2, 0)  # number of given rows


def rows_below(given):
    return np.repeat(np.arange(14)[:, None, None] >= given, 14, axis=1)


known = test[:JUDGED]
drawn_rows = [14 - given for given in ROWS]
broken = []
for given in ROWS:
    completed = gated.complete(known, rows_below(given), seed=1)[:, 0]
    broken.append(100 * in_pieces(completed))
    print(f"{14 - given:2} rows drawn: {broken[-1]:4.1f} % in pieces")
plot = line_plot(
    {"Gated PixelCNN": (drawn_rows, broken)},
    "rows drawn by the model",
    "% in more than one piece",
)
show(
    plot,
    "pieces",
    "The more rows are generated, the more digits break. The value at 0 is that of the test digits.",
)

# %% [markdown]
# With each generated row that contains ink, about two or three more digits out of a hundred break.
# If errors strongly amplified themselves, the curve would bend upward to the end, but it levels
# off. The result is consistent with errors that occur independently in each row and add up. But the
# result does not prove that errors are independent: a digit can break only once, so the curve has
# to level off.
#
# **Scheduled sampling** (Bengio et al. 2015) is a proposed remedy: in training, replace each
# preceding true value, with probability $s$, with a value that the model has generated, and predict
# the *true* next value from it. Is the optimum still the distribution of the data? Take pairs of
# equal bits, $x_2 = x_1$, in which both values have probability 1/2. With probability $s$, the
# model sees a new bit that is independent of the true $x_2$. So the best prediction is
#
# $$q(x_2 = x_1) = (1 - s) \cdot 1 + s \cdot \frac{1}{2}.$$
#
# For $s = 1$, these are two independent bits, and the learned distribution is wrong (Huszár 2015).
# Teacher forcing has its optimum at the data distribution. We let a counting model learn this:

# %%
for s in (0.0, 0.5, 1.0):
    first = random.integers(2, size=100_000)
    replaced = random.random(first.size) < s
    seen = np.where(replaced, random.integers(2, size=first.size), first)
    print(
        f"s = {s:.1f}: learned q(x2 = x1) {np.mean(seen == first):.3f}, formula {1 - s / 2:.3f}"
    )

# %% [markdown]
# ## 10. Temperature, and the most likely image
#
# A **temperature** $T$ divides the logits of each conditional: $p(x_i \mid \ldots)^{1/T}$,
# normalized to sum to 1. A temperature below 1 favors likely values. It is often claimed that
# samples at temperature $T$ come from $p(x)^{1/T}$. They do not, because each conditional is
# normalized separately, and ignores how a value affects the probabilities of *later* values. The
# three bits of section 1 show the difference. We normalize the powers of the whole table or of each
# conditional, and compare.

# %%
T = 0.5


def powers(p, axis=None):
    return p ** (1 / T) / np.sum(p ** (1 / T), axis=axis, keepdims=True)


whole = powers(joint)
first, second, third = conditionals(joint, (0, 1, 2))
by_values = powers(first, 0) * powers(second, 1) * powers(third, 2)
print("bits     p     p^2, whole table   p^2, each conditional")
for bits in np.ndindex(2, 2, 2):
    print(*bits, f"{joint[bits]:8.3f} {whole[bits]:14.3f} {by_values[bits]:20.3f}")

# %%
TEMPERATURES = (1.0,) if QUICK else (0.1, 0.5, 0.75, 1.0, 1.25)
rows = []
print("temperature   NLL by the model   ink   in pieces   pixels that differ of two samples")
for T in TEMPERATURES:
    cold = as_uint8(gated.sample(JUDGED, seed=1, temperature=T)) / np.float32(255)
    differ = np.mean(cold[1:] != cold[:-1])
    print(
        f"{T:8.2f} {nll(gated, cold):16.2f} {cold.mean():12.1%} {in_pieces(cold):9.1%}", end=""
    )
    print(f" {differ:19.1%}")
    rows.append(as_uint8(cold[:14]))
print(
    f"test digits {nll(gated, known):12.2f} {known.mean():12.1%} {in_pieces(known):9.1%}", end=""
)
print(f" {np.mean(known[1:] != known[:-1]):19.1%}")
empty = nll(gated, np.zeros_like(known[:1]))
likelier = np.mean(log_p["Gated PixelCNN"] > -empty)
print(f"an empty image {empty:9.2f}, and {likelier:.1%} of the test digits are likelier")
show(
    captioned(rows, [f"temperature {T:g}" for T in TEMPERATURES]),
    "temperatures",
    "Samples of one model at several temperatures.",
)

# %% [markdown]
# A temperature below 1 makes samples likelier and less varied, and fewer samples are in pieces: at
# 0.75, about half as many as at 1. That is why low temperatures are used. But they also move
# samples away from the data: even at a temperature of 1, samples have less ink than test digits,
# and at lower temperatures, they have still less ink. At 0.1, most images are empty. The limit, in
# which the likelier value is always selected, does not even have to give the most likely image.
# Take two bits: $x_1$ is 1 with probability 0.6, and then $x_2$ is a fair coin; after $x_1 = 0$,
# the second bit is always 0. Selecting the likelier value at each step gives 10 or 11, each with
# probability 0.3. But 00 has probability 0.4.
#
# And the most likely image is not desirable. An *empty* image is likelier than most test digits,
# but digits are never empty. There are so many ways to write a digit that, together, these images
# have most of the probability. A sample is a **typical** example, with an NLL close to the mean
# over all examples.
#
# ## 11. Likelihoods are file sizes
#
# If writer and reader both have the model, a file that represents $x$ needs about $-\log_2 p(x)$
# bits. **Arithmetic coding** achieves this. Start with the interval from 0 to 1. For each pixel,
# divide it into two parts, white first, with lengths given by the conditional, and keep the part
# that belongs to the true value. After the last pixel, the interval has length $p(x)$, by the chain
# rule. Any number inside this interval represents $x$. Use $k$ binary digits with $2^{-k} \le p(x)
# / 2$, so at most $-\log_2 p(x) + 2$ of them: numbers with $k$ digits are so dense that a whole
# step between two of them fits inside the interval, and all numbers that begin with the digits at
# its left end are inside too. The reader computes the first conditional, checks which part contains
# the number, knows the first pixel, and continues. So reading *is* sampling, with the bits of the
# file instead of noise.
#
# Here is arithmetic coding with Python integers, which have arbitrary length. Probabilities are
# rounded to multiples of $2^{-16}$, identically on both sides.


# %%
UNIT = 16 * PIXELS  # bits after the point


def parts_of_white(logits):
    """Returns the probabilities of white, in units of 1/65536."""
    return np.clip(np.rint(65536 / (1 + np.exp(-logits))), 1, 65535).astype(int).tolist()


def packed(pixels, parts):
    """Returns an image as a file: an integer, and its number of binary digits."""
    low, width = 0, 1
    for white, part in zip(pixels, parts, strict=True):
        low = (low << 16) + (0 if white else width * part)
        width *= part if white else 65536 - part
    digits = UNIT - width.bit_length() + 2
    return -(-low >> (UNIT - digits)), digits


def unpacked(file, digits, part_of_next, count):
    """Reads the first pixels; `part_of_next(pixels)` is the conditional of the next."""
    value, low, width, pixels = file << (UNIT - digits), 0, 1, []
    for place in range(1, count + 1):
        part = part_of_next(pixels)
        low <<= 16
        pixels.append(int(value < (low + width * part) << (UNIT - 16 * place)))
        low += 0 if pixels[-1] else width * part
        width *= part if pixels[-1] else 65536 - part
    return pixels


@tf.function
def logits_of(image):
    return gated.network(image, training=False)


def part_of_next(pixels):
    image = np.zeros((1, PIXELS), "float32")
    image[0, : len(pixels)] = pixels
    logits = logits_of(tf.constant(image.reshape(1, 14, 14, 1))).numpy()
    return parts_of_white(logits.ravel()[len(pixels)])


ideal, sizes, wrong = [], [], 0
for image in test[:PACKED]:
    pixels = image.ravel().astype(int).tolist()
    file, digits = packed(pixels, parts_of_white(logits_of(image[None]).numpy().ravel()))
    ideal.append(nll(gated, image[None]) / np.log(2))
    sizes.append(digits)
    wrong += np.sum(
        np.array(unpacked(file, digits, part_of_next, UNPACKED)) != pixels[:UNPACKED]
    )
print("-log2 p of test digits", ", ".join(f"{bits:.2f}" for bits in ideal))
print("bits of their files   ", ", ".join(f"{bits}" for bits in sizes))
print("pixels that are read back wrongly:", wrong)

archive = lzma.compress(np.packbits(levels(test)).tobytes(), preset=9)
print(f"\n{'raw':30} {PIXELS:6.1f} bits a digit")
print(f"{'one archive of all, by lzma':30} {8 * len(archive) / len(test):6.1f}")
for name, values in log_p.items():
    print(f"{name:30} {-values.mean() / np.log(2):6.1f}")
for name, model in (("MADE", by_rows_made), ("Gated PixelCNN", gated)):
    saved = 8 * len(archive) / len(test) + log_p[name].mean() / np.log(2)  # bits a digit
    paid = 32 * model.network.count_params() / saved
    print(f"weights of {name}, 4 bytes each, are paid after {paid:,.0f} digits")

# %% [markdown]
# The files have the predicted lengths, and no information is lost. ("Paid" is the number of digits
# for which the savings, compared with the lzma archive, equal the size of the weights.) A
# general-purpose archiver has no model of digits and needs more bits than even a model with
# independent pixels. But these sizes include only the files, not the model, which both the writer
# and the reader must have. If the weights are included, the smaller network pays off much sooner.
# And only *test* digits are a fair measure, because a model that has memorized its training set
# compresses only this set well.
#
# ## 12. Completing images
#
# Suppose that the first half of the values is known. To complete the example, insert the known
# values and sample the remaining values, each from its conditional. These are exact samples from
# $p(\text{rest} \mid \text{first half})$, if the known part comes *first* in the order. If the
# known part comes last, the conditionals never see it. We give upper or lower halves to the Gated
# PixelCNN, whose order begins at the top, and to the MADE that begins at the bottom. The simple
# baseline uses the missing half of the training digit whose known half is nearest.

# %%
COMPLETIONS = 2 if QUICK else 8  # of each digit
known = test[: JUDGED // 2]
UPPER, LOWER = (rows_below(7) == 0), rows_below(7)  # the halves, as masks


def completed_by_made(images, missing, n):
    """Returns completions `[m, n, 14, 14, 1]` by the MADE that starts at the bottom."""
    order = orders["rows from the bottom"]
    pixels = tf.constant(np.repeat(flat(images)[:, order], n, axis=0))
    absent = tf.constant(missing.astype("float32").reshape(1, PIXELS)[:, order])
    filled = mades["rows from the bottom"].filled(pixels, absent, tf.range(len(pixels))).numpy()
    return filled[:, np.argsort(order)].reshape(len(images), n, 14, 14, 1)


def nearest_half(images, missing):
    there = ~missing.ravel()
    a, b = flat(images)[:, there], flat(train)[:, there]
    distances = b.sum(axis=1) - 2 * a @ b.T  # and the pixels of a, the same for all
    return train[distances.argmin(axis=1)][:, None]


found = {}
for half, missing in (("upper", LOWER), ("lower", UPPER)):
    by_gated = gated.complete(known, missing, n=COMPLETIONS, seed=1)
    found[half, "Gated PixelCNN, from the top"] = by_gated
    found[half, "MADE, from the bottom"] = completed_by_made(known, missing, COMPLETIONS)
    found[half, "nearest training digit"] = nearest_half(known, missing)
print("missing pixels that are wrong         one completion   the majority of several")
for (half, name), images in found.items():
    missing = LOWER if half == "upper" else UPPER
    once = np.mean((images[:, 0] > 0) != known, where=missing)
    majority = np.mean(((images > 0).mean(axis=1) > 0.5) != known, where=missing)
    print(f"{half} half known, {name:28} {once:6.1%} {majority:16.1%}")

# %%
rows, names = [as_uint8(known[:14])], ["test digits"]
for half, missing in (("upper", LOWER), ("lower", UPPER)):
    rows.append(np.where(missing, 96, as_uint8(known[:14])).astype("uint8"))
    names.append(f"{half} half known")
    for name in ("Gated PixelCNN, from the top", "MADE, from the bottom"):
        images = found[half, name]
        rows += [as_uint8(images[:14, 0]), as_uint8(images[:14, 1])]
        names += [name, "once more"]
show(
    captioned(rows, names),
    "completions",
    "Halves of test digits, and completions by two models. The order determines which one is good.",
)

# %% [markdown]
# If a model receives the half that comes first in its order, its completions continue this half,
# mostly to a recognizable digit. This order holds for the Gated PixelCNN and upper halves, and for
# MADE and lower halves. In the opposite case, each model generates the missing half without seeing
# the known half, so strokes meet only by chance. Completing the other half requires a model for the
# opposite order, or a model trained on many orders.
#
# In terms of wrong pixels, the nearest training digit is a strong baseline: it has fewer wrong
# pixels than the Gated PixelCNN, and only slightly more than MADE's majority vote. A single
# completion necessarily has more wrong pixels: it is a *sample*, which varies as digits do, whereas
# the majority vote of several samples is a best guess.
#
# ## 13. Common claims, and what is true
#
# - **"A deep PixelCNN sees all preceding pixels."** Its blind spot has the same corner at any depth
#   (section 5). Two stacks see all preceding pixels if they are deep enough.
# - **"The order does not matter, because the chain rule holds in each."** The chain rule holds for
#   the true distribution in every order. But how well a network learns depends on the order, and
#   only the order determines which half the network can complete.
# - **"Teacher forcing is a shortcut, and using generated inputs would be correct."** Teacher
#   forcing is the likelihood itself. Scheduled sampling has a different optimum (section 9).
# - **"A temperature $T$ samples from $p(x)^{1/T}$."** A temperature changes each conditional
#   separately, which gives a different distribution (section 10).
# - **"The best sample is the most likely one."** Selecting the likelier value at each step does not
#   always give the most likely image, and the most likely image is not typical.
# - **"Fewer bits mean better samples."** In section 7, MADE needs fewer bits than the mixture, but
#   has more broken samples.
#
# ## Questions
#
# **1.** In section 5, use kernels of size 5 for the further layers ($m = 2$). How far to the right
# can a pixel see? And how many further layers, after a first kernel of size 7, does the Gated
# PixelCNN need so that the last row of a digit with 28 × 28 pixels sees all other rows?
#
# <details markdown="1"><summary>Answer</summary>
#
# In the further layers, a move up by one row now allows two columns to the right; in the first
# layer, it allows three. So in the row that is $r$ rows above, the reach is $3 + 2 (r - 1) = 2r +
# 1$: the blind corner becomes narrower but remains. Each further layer sees two more rows. There
# are 27 rows above the last one, and $3 + 2n \ge 27$ for $n = 12$.
#
# </details>
#
# **2.** Suppose that a PixelCNN is built with mask B in its first layer. What happens to the loss
# and to the samples?
#
# <details markdown="1"><summary>Answer</summary>
#
# Each output sees the pixel that it predicts and copies it: the loss falls to nearly 0. But the
# outputs are not conditionals, and their product does not sum to 1 over images. The network can
# neither decode files nor generate samples: sampling $x_i$ requires the output, which requires
# $x_i$. A loss that is far too good is the usual sign of a leak. The library rejects such a
# network.
#
# </details>
#
# **3.** Change the code: in section 4, give MADE no hidden layer, `hidden=()`. What is each
# conditional now, and what happens to the NLL and the samples?
#
# <details markdown="1"><summary>Answer</summary>
#
# Output $i$ is linear in the preceding pixels, so each conditional is a separate logistic
# regression. This is the *fully visible sigmoid belief network*, which is older than MADE. In our
# run, the NLL of held-out digits was 38.3 nats, higher than the NLL of the table with contexts of
# 16 pixels. Of the samples, 98% were in pieces. Strokes are roughly right, but there are single
# white pixels next to the strokes, because a sum cannot express "white if this one *and* that one
# are".
#
# </details>
#
# **4.** In section 7, a fraction $f$ of the samples of the color model has one color. Show that
# this costs $-\log f$ nats per painted digit, whatever the other samples look like. Then divide the
# difference between the last two rows of the table into three parts.
#
# <details markdown="1"><summary>Answer</summary>
#
# All data have one color. For such an image, the model's probability is $f$ times its probability
# given that the sample has one color. So the NLL is $-\log f$ plus the NLL of a model all of whose
# samples have one color. In our run, these are 0.7 of 5.2 nats. The color, given the shape, costs
# 2.8 nats instead of $\log 7 = 1.95$, another 0.8. The rest, 3.6 nats, is the shape: given one
# color, it costs $34.4 - 0.7 = 33.7$ nats, and 30.1 nats in the model of shapes alone.
#
# </details>
#
# ## Where to go from here
#
# With longer training, the Gated PixelCNN also beats all counting baselines on digits of 28 × 28
# pixels. The picture shows completions from a published run, whose model is conditional on the
# class:
#
# ![Lower halves of digits, completed four times each.](../../recipes/results/gated_pixel_cnn_mnist_completions.png)
#
# Values are from the published runs in [RESULTS.md](../../RESULTS.md).
#
# | topic | class | recipe | result | paper |
# |-|-|-|-|-|
# | masked convolutions | `PixelCNN` | [pixel_cnn_mnist](../../recipes/pixel_cnn_mnist.py) | 87.01 nats; boosted trees 91.83; paper 81.3 | [van den Oord et al. 2016](https://arxiv.org/abs/1601.06759) |
# | two stacks, and classes | `ConditionalPixelCNN` | [gated_pixel_cnn_mnist](../../recipes/gated_pixel_cnn_mnist.py) | 83.74 nats, paper 80.1 | [van den Oord et al. 2016](https://arxiv.org/abs/1606.05328); value from [Gulrajani et al. 2017](https://arxiv.org/abs/1611.05013) |
# | recurrent, over diagonals | `PixelRNN` | [pixel_rnn_mnist](../../recipes/pixel_rnn_mnist.py) | 84.91 nats, paper 79.2 | [van den Oord et al. 2016](https://arxiv.org/abs/1601.06759) |
# | masked dense layers | `MADE` | [densities_plane](../../recipes/densities_plane.py) | KL from the checkerboard 0.0493 nats; histogram 0.001319, Gaussian mixture 0.1346 | [Germain et al. 2015](https://arxiv.org/abs/1502.03509) |
# | characters | `CharacterRNN` | [character_rnn_reuters](../../recipes/character_rnn_reuters.py) | 1.597 bits per character; n-grams with words 1.592 | [Graves 2013](https://arxiv.org/abs/1308.0850) |
# | sounds | `ConditionalWaveNet` | [wavenet_spoken_digit](../../recipes/wavenet_spoken_digit.py) | 5.287 bits per sample; stacked least squares 5.242 | [van den Oord et al. 2016](https://arxiv.org/abs/1609.03499) |
