"""Files: images, sounds, animations, file locations, atomic writing, and locks."""
