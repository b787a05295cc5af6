"""What models share whose codes have two parts: a style, and an identity."""

import tensorflow as tf

from keras_gen.bases.capabilities import capability
from keras_gen.bases.coder import Coder, require_heads


class StyleCoder(Coder):
    """A coder whose codes are a style and an identity side by side: swap, split.

    Its encoder gives (mean, log variance, identity): two `[batch, style]`, and one `[batch,
    identity]`. The codes, which the decoder takes, are the style's mean and then the identity.
    """

    def code_shapes(self, encoder):
        """Returns the shape of style and identity side by side."""
        require_heads(encoder, "mean", "log variance", "identity")
        return [(encoder.outputs[0].shape[-1] + encoder.outputs[2].shape[-1],)]

    def heads(self, x, training: bool = False) -> list[tf.Tensor]:
        """Returns the style's mean and log variance, and the identity, of examples."""
        return super().encoded(x, training)

    def encoded(self, x, training=False, *given):
        """Returns the style's mean and the identity, side by side."""
        mean, _, identity = super().encoded(x, training, *given)
        return [tf.concat([mean, identity], axis=-1)]

    def split(self, codes):
        """Returns style and identity of codes `[n, style + identity]`, arrays or tensors.

        Example: `style, identity = model.split(model.encode(images))`.
        """
        style = self.encoder.outputs[0].shape[-1]
        return codes[:, :style], codes[:, style:]

    @capability
    def swap(self, x, other):
        """Returns what has the style of `x` and the identity of `other`, in the kind of `x`.

        Args:
            x: Examples `[n, ...]`, as their edge takes them.
            other: As many.
            batch_size: Examples at once.
        """
        style, _ = self.split(self.encoded(x)[0])
        _, identity = self.split(self.encoded(other)[0])
        return {"x": self.reconstructed(tf.concat([style, identity], axis=-1))}
