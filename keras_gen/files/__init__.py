"""Files: images, sounds and animations; writing so that nobody reads half a file; locks; where recipes lie."""
