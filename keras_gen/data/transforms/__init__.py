"""Functions of examples: resized once, augmented every epoch, or changed inside a GAN's step."""
