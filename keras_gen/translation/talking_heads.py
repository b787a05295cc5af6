"""Few-shot talking heads (Zakharov, Shysheya, Burkov, Lempitsky 2019)."""

from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.arguments import (
    checked_integer,
    checked_number,
)
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import (
    Player,
    capability,
    for_users,
    require_chain,
    require_inputs,
    require_logits,
    require_range,
)
from keras_gen.core.kinds_of_data import Images, Labels, Vectors
from keras_gen.core.kinds_of_data.kind_of_data import as_tensor
from keras_gen.core.schedules import Weight
from keras_gen.declared import Named, made_by, network
from keras_gen.layers import LearnedConstant
from keras_gen.losses import adversarial
from keras_gen.losses.adversarial_objective import Objective
from keras_gen.losses.feature_losses import feature_distance
from keras_gen.losses.per_example import l1
from keras_gen.networks import talking_head_networks
from keras_gen.translation.pix2pix import Pix2Pix
from keras_gen.translation.predictor import AdversarialPredictor


@keras.saving.register_keras_serializable("keras_gen")
class TalkingHeads(AdversarialPredictor):
    """Draws a person in any pose, given by landmarks, from a few images of this person.

    Zakharov, Shysheya, Burkov, Lempitsky: "Few-Shot Adversarial Learning of Realistic Neural
    Talking Head Models", ICCV 2019. A step of the meta-learning sees, of each person in the batch,
    K shots and a further frame. The embedder makes a vector of each shot, whose mean says who it
    is; with it the generator draws the frame from its landmarks. The networks that draw minimize
    eq. (2): the distance to the frame, the adversarial loss and the distance of the discriminator's
    maps, eq. (4), and the distance of the embedding to the discriminator's vector of the person.
    The discriminator's score, eq. (3), is a logit plus the product of features and that vector.

    `adapt` fine-tunes a copy on a person's images, sec. 3.3.

    Deviations: the distance to the frame is that of pixels, L1, and of the features of a network
    only if one is given; the paper has two VGGs. One update of the discriminator a step, not two.
    In `adapt`, the loss is that of pix2pix, without the distance of maps, and the embedding is
    trained in place of its projections.

    Args:
        embedder: Landmarks and an image, beside each other in the channels, to a vector
            `[batch, N]`.
        generator: Landmarks `[batch, height, width, channels]` and vectors `[batch, N]` to images
            in [-1, 1].
        discriminator: The embedder's input to logits `[batch, 1]`, features `[batch, N]` and maps
            that are compared, one or several.
        identities: int32 labels of people to vectors `[batch, N]`, the paper's W. All four as
            `keras_gen.networks.talking_head_networks` makes them.
        feature_network: Images to maps, whose distance is minimized too; it is not trained.
        objective: Adversarial objective, a name or an object.
        pixel_weight: Weight of the L1 distance of pixels.
        feature_weight: Weight of the distance of the feature network's maps.
        matching_weight: Weight of the distance of the discriminator's maps, 10 in the paper.
        embedding_weight: Weight of the distance of embedding and vector, 80 in the paper.
        seed: Seed of all randomness in the steps.

    Raises:
        ValueError: If the networks do not fit each other, or a weight is negative.

    Example:
    ```python
    import tensorflow as tf
    model = TalkingHeads.for_images((32, 32, 3), people=4, embedding_dim=8, filters=4)
    model.compile()
    frames = maps = np.zeros((4, 5, 32, 32, 3), "uint8")  # five of each of four people
    data = (maps[:, 0], frames[:, 0], frames[:, 1:], maps[:, 1:], np.arange(4))
    model.fit(tf.data.Dataset.from_tensor_slices(data).batch(2))
    embeddings = model.embed(frames[:1, :3], maps[:1, :3])
    images = model.render(maps[:1, 4], embeddings)
    personal = model.adapt(frames[0], maps[0], steps=2)
    images = personal.translate(maps[0])
    ```
    """

    batch = ("x", "y", "shots", "shot_landmarks", "labels")
    predicts = "render"

    embedder: keras.Model = network("landmarks_and_image -> person", kw_only=True)
    generator: keras.Model = network("landmarks person -> image", kw_only=True)
    discriminator: keras.Model = network(later=True)  # to logits, features, and maps
    identities: keras.Model = network("label -> person", kw_only=True)
    feature_network: keras.Model | None = network(
        default=None
    )  # of images, to any number of maps
    objective: Named[Objective] = made_by(adversarial.get_of_fakes, default="hinge", later=True)
    pixel_weight: Weight = 10.0
    feature_weight: Weight = 1.0
    matching_weight: Weight = 10.0
    embedding_weight: Weight = 80.0

    @override
    def train_step(self, data):
        """Updates embedder and generator on eq. (2), then the discriminator and its identities."""
        batch = self.prepare_batch(data)

        def generator_loss():
            embedding = self._embedded(batch["shots"], batch["shot_landmarks"])
            predicted = self.generator([batch["x"], embedding], training=self.training)
            score, maps = self._scored(predicted, batch)
            _, real_maps = self._scored(batch["y"], batch)
            # Eq. (2), the terms of L_CNT, L_ADV and L_MCH.
            terms = {
                "pixel": l1(predicted, batch["y"]),
                "adversarial": self.objective.generator(score),
                "matching": tf.add_n([l1(a, b) for a, b in zip(maps, real_maps, strict=True)]),
                "embedding": l1(embedding, self.identities(batch["labels"])),
            }
            if self.feature_network:
                features = self.feature_network(predicted, training=False)
                real_features = self.feature_network(batch["y"], training=False)
                terms["feature"] = feature_distance(features, real_features)
            return self.weighted(terms), terms, predicted

        g_loss, terms, predicted = self.minimize(generator_loss, "g_optimizer")

        def discriminator_loss():
            real_score, _ = self._scored(batch["y"], batch)
            score, _ = self._scored(predicted, batch)
            return self.objective.discriminator(real_score, score)

        d_loss = self.minimize(discriminator_loss, "d_optimizer")
        return self.report(terms, g_loss=g_loss, d_loss=d_loss)

    def _scored(self, images, batch):
        """The score of eq. (3), `[batch, 1]`, and the maps."""
        pairs = tf.concat([batch["x"], tf.cast(images, tf.float32)], axis=-1)
        logits, features, *maps = self.discriminator(pairs, training=self.training)
        vectors = self.identities(batch["labels"])
        return logits + tf.reduce_sum(features * vectors, axis=1, keepdims=True), maps

    def _embedded(self, shots, landmarks):
        """The mean of the embedder's vectors of the shots of each person."""
        count, number = tf.unstack(tf.shape(shots)[:2])
        pairs = tf.concat([landmarks, shots], axis=-1)
        pairs = tf.reshape(pairs, [count * number, *pairs.shape[2:]])
        vectors = self.embedder(pairs, training=self.training)
        return tf.reduce_mean(tf.reshape(vectors, [count, number, vectors.shape[-1]]), axis=1)

    @override
    def predictors(self):
        return Player([self.embedder, self.generator], partial(Adam, 5e-5))

    @override
    def players(self):
        discriminator = Player([self.discriminator, self.identities], partial(Adam, 2e-4))
        return super().players() | {"d_optimizer": discriminator}

    @override
    def loss_weights(self):
        features = {"feature": self.feature_weight} if self.feature_network else {}
        return features | {
            "pixel": self.pixel_weight,
            "adversarial": 1.0,
            "matching": self.matching_weight,
            "embedding": self.embedding_weight,
        }

    # Use -------------------------------------------------------------------------------------

    @capability
    def embed(self, shots, shot_landmarks):
        """Returns the vectors of people, `[n, N]`, of their shots `[n, shots, ...]`."""
        return {"embeddings": self._embedded(shots, shot_landmarks)}

    @capability
    def render(self, x, embeddings):
        """Draws people of these vectors with these landmarks, uint8 `[n, height, width, 3]`."""
        return {"y": self.generator([x, embeddings], training=False)}

    @for_users
    def adapt(
        self, images, landmarks, steps: int = 40, learning_rate: float = 5e-5, verbose=0
    ) -> Pix2Pix:
        """Fine-tunes a copy of the networks on the images of one person, sec. 3.3.

        Args:
            images: T images of the person, uint8 `[T, height, width, channels]`.
            landmarks: Their landmarks, likewise.
            steps: Updates, each on all images.
            learning_rate: Adam's rate of the networks that draw; the discriminator's is four times
                as large, as in the paper.
            verbose: See `fit`.

        Returns:
            A model that turns landmarks into images of this person (`translate`), compiled.

        Raises:
            TypeError: If one is no array, or a number none.
            ValueError: If there are no images, or not as many landmarks.

        Example: `model.adapt(frames, maps).translate(other_maps)`.
        """
        steps = checked_integer("steps", steps, minimum=1)
        learning_rate = checked_number("learning_rate", learning_rate, minimum=0)
        images = np.asarray(as_tensor(images, "images"))
        landmarks = np.asarray(as_tensor(landmarks, "landmarks"))
        if not (images.ndim and landmarks.ndim):
            raise ValueError("adapt got a number: expected images and landmarks, [T, ...] each.")
        if not 0 < len(images) == len(landmarks):
            raise ValueError(
                f"adapt got {len(images)} images and {len(landmarks)} landmarks: expected as many "
                "of each, and one at least."
            )
        vector = self.embed(images[None], landmarks[None])[0]
        generator = _with_vector(self.generator, vector)
        discriminator = _scoring(self.discriminator, vector)
        model = Pix2Pix(
            generator=generator,
            discriminator=discriminator,
            objective=self.objective,
            l1_weight=self.pixel_weight,
            domains=("landmarks", "face"),
            seed=self.seed,
        )
        model.compile(g_optimizer=Adam(learning_rate), d_optimizer=Adam(4 * learning_rate))
        model.fit(landmarks, images, batch_size=len(images), epochs=steps, verbose=verbose)
        return model

    @override
    def call(self, inputs, training=False):
        landmarks, embeddings = inputs
        return self.generator([landmarks, embeddings], training=training)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        if self.feature_network is not None:
            require_chain(self.generator, self.feature_network)
        *sides, channels = image = tuple(self.generator.output_shape[1:])
        landmarks = tuple(self.generator.inputs[0].shape[1:])
        if list(landmarks[:-1]) != sides:
            raise ValueError(
                f"The generator takes landmarks of shape {landmarks} and makes images of shape "
                f"{image}: expected the same height and width."
            )
        require_range(Images(image).span, "images", self.generator)
        require_inputs(1, type(self), self.discriminator)
        require_logits(self.discriminator)
        person = self.generator.inputs[1].shape
        outputs = [tuple(output.shape) for output in self.discriminator.outputs]
        if len(outputs) < 3 or outputs[1] != person:
            raise ValueError(
                f"The discriminator's outputs have shapes {outputs}: expected logits, features of "
                f"shape {tuple(person)}, and one map at least."
            )
        expected = (*sides, channels + landmarks[-1])
        for judge in (self.embedder, self.discriminator):
            if judge.input_shape[1:] != expected:
                raise ValueError(
                    f"The network '{judge.name}' takes {judge.input_shape[1:]}: expected "
                    f"{expected}, landmarks and an image beside each other."
                )
        self.edges["x"] = Images(landmarks, name="landmarks")
        self.edges["y"] = Images(image)
        self.edges["shots"] = Images((None, *image), name="shots")
        self.edges["shot_landmarks"] = Images((None, *landmarks), name="shot_landmarks")
        self.edges["labels"] = Labels(_number_of_people(self.identities))
        self.edges["embeddings"] = Vectors(tuple(person[1:]), name="embeddings")

    @classmethod
    @checked_arguments(square=True)
    def for_images(
        cls, shape: tuple, people: int, embedding_dim: int = 512, filters: int = 64, **kwargs
    ):
        """Builds the model with its usual networks.

        Args:
            shape: `(height, width, channels)` of images and of maps of landmarks, both sides
                multiples of 8.
            people: Number of people in training.
            embedding_dim: Length of the vector of a person.
            filters: Channels of the first layers.
            **kwargs: Further arguments of the class.
        """
        return cls(**talking_head_networks(shape, people, embedding_dim, filters), **kwargs)


def _number_of_people(identities) -> int:
    """Of the labels that a network of one embedding takes."""
    tables = [each for each in identities.layers if isinstance(each, keras.layers.Embedding)]
    if len(tables) != 1:
        raise ValueError(
            f"The network '{identities.name}' has {len(tables)} Embedding layers: expected one."
        )
    return tables[0].input_dim


def _copy(network):
    copied = keras.models.clone_model(network)
    copied.set_weights(network.get_weights())
    return copied


def _learned(vector, inputs):
    """A vector that is trained from this value on, for each example of the inputs."""
    layer = LearnedConstant(vector.shape)
    outputs = layer(inputs)
    layer.set_weights([vector])
    return outputs


def _with_vector(generator, vector):
    """A copy of the generator that draws one person."""
    landmarks = keras.Input(generator.inputs[0].shape[1:])
    images = _copy(generator)([landmarks, _learned(vector, landmarks)])
    return keras.Model(landmarks, images, name="generator")


def _scoring(discriminator, vector):
    """A copy of the discriminator that scores one person."""
    pairs = keras.Input(discriminator.input_shape[1:])
    logits, features, *_ = _copy(discriminator)(pairs)
    product = keras.layers.Dot(axes=1, dtype="float32")([features, _learned(vector, pairs)])
    return keras.Model(pairs, keras.layers.add([logits, product]), name="discriminator")
