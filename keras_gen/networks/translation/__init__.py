"""Networks from images to images, and their discriminators."""
