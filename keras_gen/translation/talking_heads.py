"""Few-shot talking heads (Zakharov, Shysheya, Burkov, Lempitsky 2019)."""

from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam
from typing_extensions import override

from keras_gen.checked_arguments import checked_arguments, checked_types
from keras_gen.core import (
    Player,
    capability,
    for_users,
    require_range,
)
from keras_gen.core.kinds_of_data import Images, Labels, Vectors
from keras_gen.core.kinds_of_data.kind_of_data import as_tensor
from keras_gen.core.schedules import Weight
from keras_gen.declared import Named, NonNegative, PositiveInteger, made_by, network
from keras_gen.layers import LearnedConstant
from keras_gen.losses import adversarial
from keras_gen.losses.adversarial import Objective
from keras_gen.losses.feature_losses import feature_distance
from keras_gen.losses.per_example import l1
from keras_gen.networks import talking_head_networks
from keras_gen.tensor_checks import require
from keras_gen.translation.pix2pix import Pix2Pix
from keras_gen.translation.predictor import AdversarialPredictor


@keras.saving.register_keras_serializable("keras_gen")
class TalkingHeads(AdversarialPredictor):
    """Learns from a few images of a person to generate that person in any pose given by landmarks.

    Zakharov, Shysheya, Burkov, Lempitsky: "Few-Shot Adversarial Learning of Realistic Neural
    Talking Head Models", ICCV 2019. For each person in the batch, a meta-learning step uses K
    images (shots) and one more frame. The embedder turns each shot into a vector, and the mean of
    these vectors represents the person. Given this mean, the generator predicts the frame from its
    landmarks. The embedder and the generator minimize eq. (2). This loss is the sum of the distance
    to the frame, two terms from eq. (4) (the adversarial loss and the distance between the
    discriminator's feature maps), and the distance between the embedding and the discriminator's
    vector for the person. The discriminator's score, eq. (3), is a logit plus the inner product of
    the discriminator's features and this vector.

    `adapt` fine-tunes a copy of the networks on a person's images (sec. 3.3).

    Deviations: the distance to the frame is the L1 pixel distance, plus a feature distance if a
    feature network is given; the paper uses two VGG networks. There is one discriminator update per
    step instead of two. `adapt` uses the loss of pix2pix, without the distance between feature
    maps, and trains the embedding instead of its projections.

    Args:
        embedder: Network that maps landmarks and an image, concatenated along the channels, to a
            vector `[batch, N]`.
        generator: Network that maps landmarks `[batch, height, width, channels]` and vectors
            `[batch, N]` to images in [-1, 1].
        discriminator: Network that maps the embedder's input to logits `[batch, 1]`, features
            `[batch, N]`, and one or more feature maps to compare.
        identities: Network that maps int32 labels of people to vectors `[batch, N]` (W in the
            paper). All four networks can be built with `keras_gen.networks.talking_head_networks`.
        feature_network: Network that maps images to feature maps. The distance between the feature
            maps of generated and real images is also minimized. This network is not trained.
        objective: Adversarial objective, a name or an object.
        pixel_weight: Weight of the L1 pixel distance.
        feature_weight: Weight of the distance between the maps of `feature_network`.
        matching_weight: Weight of the distance between the discriminator's feature maps, 10 in the
            paper.
        embedding_weight: Weight of the distance between the embedding and the discriminator's
            vector, 80 in the paper.
        seed: Seed for all randomness in training steps.

    Raises:
        ValueError: If the networks do not match, or if a weight is negative.

    Example:
    ```python
    import tensorflow as tf
    model = TalkingHeads.for_images((32, 32, 3), people=4, embedding_dim=8, filters=4)
    model.compile()
    frames = maps = np.zeros((4, 5, 32, 32, 3), "uint8")  # five frames for each of four people
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
    discriminator: keras.Model = network(
        "landmarks_and_image -> logits person feature_map ...", later=True
    )
    identities: keras.Model = network("label -> person", kw_only=True)
    feature_network: keras.Model | None = network("image -> map ...", default=None)
    objective: Named[Objective] = made_by(adversarial.get_of_fakes, default="hinge", later=True)
    pixel_weight: Weight = 10.0
    feature_weight: Weight = 1.0
    matching_weight: Weight = 10.0
    embedding_weight: Weight = 80.0

    @override
    def train_step(self, data):
        """Updates the embedder and generator on eq. (2), then `discriminator` and `identities`."""
        batch = self.prepare_batch(data)

        def generator_loss():
            embedding = self._embedded(batch["shots"], batch["shot_landmarks"])
            predicted = self.generator([batch["x"], embedding], training=self.training)
            score, maps = self._scored(predicted, batch)
            _, real_maps = self._scored(batch["y"], batch)
            # The terms of L_CNT, L_ADV, and L_MCH in eq. (2).
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
        """Returns the score of eq. (3), `[batch, 1]`, and the feature maps."""
        pairs = tf.concat([batch["x"], tf.cast(images, tf.float32)], axis=-1)
        logits, features, *maps = self.discriminator(pairs, training=self.training)
        vectors = self.identities(batch["labels"])
        return logits + tf.reduce_sum(features * vectors, axis=1, keepdims=True), maps

    def _embedded(self, shots, landmarks):
        """Returns the mean embedding over the shots of each person."""
        count, number = tf.unstack(tf.shape(shots)[:2])
        drawn = tf.shape(landmarks)[1]
        sentence = (
            "shots contains {} images and shot_landmarks {} images for each person: expected one "
            "landmark image per shot."
        )
        with tf.control_dependencies([require(number == drawn, sentence, number, drawn)]):
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
        """Returns one vector per person, `[n, N]`, computed from shots `[n, shots, ...]`."""
        return {"embeddings": self._embedded(shots, shot_landmarks)}

    @capability
    def render(self, x, embeddings):
        """Generates images, uint8 `[n, height, width, 3]`, from vectors and landmarks."""
        return {"y": self.generator([x, embeddings], training=False)}

    @for_users
    @checked_types
    def adapt(
        self,
        images,
        landmarks,
        steps: PositiveInteger = 40,
        learning_rate: NonNegative = 5e-5,
        verbose=0,
    ) -> Pix2Pix:
        """Fine-tunes a copy of the networks on the images of one person (sec. 3.3).

        Args:
            images: Images of the person, uint8 `[T, height, width, channels]`.
            landmarks: Landmark image for each image, uint8 `[T, height, width, channels]`.
            steps: Number of updates, each on all images.
            learning_rate: Adam's learning rate for the embedding and the generator. The
                discriminator's learning rate is four times as large, as in the paper.
            verbose: See `fit`.

        Returns:
            A compiled model that translates landmarks into images of this person (`translate`).

        Raises:
            TypeError: If an argument has the wrong type.
            ValueError: If there are no images, or if the number of landmark images differs from the
                number of images.

        Example: `model.adapt(frames, maps).translate(other_maps)`.
        """
        images = np.asarray(as_tensor(images, "images"))
        landmarks = np.asarray(as_tensor(landmarks, "landmarks"))
        if not (images.ndim and landmarks.ndim):
            raise ValueError(
                "adapt got a number: expected images and landmarks, both of shape [T, ...]."
            )
        if not 0 < len(images) == len(landmarks):
            raise ValueError(
                f"adapt got {len(images)} images and {len(landmarks)} landmarks: expected one "
                "landmark image per image, and at least one image."
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
        *sides, channels = image = tuple(self.generator.output_shape[1:])
        landmarks = tuple(self.generator.inputs[0].shape[1:])
        if list(landmarks[:-1]) != sides:
            raise ValueError(
                f"The generator accepts landmarks of shape {landmarks} and returns images of "
                f"shape {image}: expected the same height and width."
            )
        require_range(Images(image).span, "images", self.generator)
        expected = (*sides, channels + landmarks[-1])
        if self.embedder.input_shape[1:] != expected:
            raise ValueError(
                f"The network '{self.embedder.name}' accepts {self.embedder.input_shape[1:]}: "
                f"expected {expected}, landmarks and an image concatenated along the channels."
            )
        self.edges["x"] = Images(landmarks, name="landmarks")
        self.edges["y"] = Images(image)
        self.edges["shots"] = Images((None, *image), name="shots")
        self.edges["shot_landmarks"] = Images((None, *landmarks), name="shot_landmarks")
        self.edges["labels"] = Labels(_number_of_people(self.identities))
        self.edges["embeddings"] = Vectors(self.embedder.output_shape[1:], "embeddings")

    @classmethod
    @checked_arguments(square=True)
    def for_images(
        cls, shape: tuple, people: int, embedding_dim: int = 512, filters: int = 64, **kwargs
    ):
        """Builds the model with the standard networks.

        Args:
            shape: `(height, width, channels)` of images and of landmark images. The sides must be
                multiples of 8.
            people: Number of people in training.
            embedding_dim: Number of dimensions of a person's vector.
            filters: Number of channels in the first layers.
            **kwargs: Additional arguments for the class.
        """
        return cls(**talking_head_networks(shape, people, embedding_dim, filters), **kwargs)


def _number_of_people(identities) -> int:
    """Returns the number of labels that a network with one embedding accepts."""
    tables = [each for each in identities.layers if isinstance(each, keras.layers.Embedding)]
    if len(tables) != 1:
        raise ValueError(
            f"The network '{identities.name}' has {len(tables)} Embedding layers: expected one "
            "Embedding layer."
        )
    return tables[0].input_dim


def _copy(network):
    copied = keras.models.clone_model(network)
    copied.set_weights(network.get_weights())
    return copied


def _learned(vector, inputs):
    """Returns a trainable vector, initially `vector`, repeated for each example of the inputs."""
    layer = LearnedConstant(vector.shape)
    outputs = layer(inputs)
    layer.set_weights([vector])
    return outputs


def _with_vector(generator, vector):
    """Returns a copy of the generator for one person."""
    landmarks = keras.Input(generator.inputs[0].shape[1:])
    images = _copy(generator)([landmarks, _learned(vector, landmarks)])
    return keras.Model(landmarks, images, name="generator")


def _scoring(discriminator, vector):
    """Returns a copy of the discriminator for one person."""
    pairs = keras.Input(discriminator.input_shape[1:])
    logits, features, *_ = _copy(discriminator)(pairs)
    product = keras.layers.Dot(axes=1, dtype="float32")([features, _learned(vector, pairs)])
    return keras.Model(pairs, keras.layers.add([logits, product]), name="discriminator")
