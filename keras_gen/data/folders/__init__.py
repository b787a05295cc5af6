"""Folders of a user's own files, one module per layout: images, sounds, or pairs of images."""
