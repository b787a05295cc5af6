"""Networks for image-to-image translation, and their discriminators."""
