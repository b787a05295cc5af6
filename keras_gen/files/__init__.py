"""Files: images, sounds and animations, where they lie, whole writing, and locks."""
