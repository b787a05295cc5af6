"""Networks from images to images, and the discriminators beside them."""
