"""Folders of a user's own files, one module for each layout: `image_folder`, one image a file."""
