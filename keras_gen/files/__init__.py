"""Files: images, sounds, and animations, their locations, atomic writing, and locks."""
