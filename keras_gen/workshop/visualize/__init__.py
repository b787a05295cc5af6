"""Visualizations of models and their codes as uint8 arrays.

`write_image` writes an image to a file, and `figure` converts an image to a matplotlib figure.
`SampleGrid` turns a visualization of a model into a callback that uses the averaged weights:

```python
write_image("runs/a/latents.png", traversals(model, held_out[:1]))
draw = lambda model: traversals(model, held_out[:1])
model.fit(data, callbacks=[SampleGrid(draw, "runs/a/traversals", every=5)])
```

Images with 1 or 3 channels are shown unchanged; for other images, see
`keras_gen.files.images.as_shown`.
"""

from keras_gen.files.images import write_image
from keras_gen.workshop.visualize.captions import captioned, text_page
from keras_gen.workshop.visualize.latent_space import (
    arithmetic,
    class_traversals,
    interpolations,
    manifold,
    manipulated,
    ordered_traversals,
    perturbations,
    random_codes,
    redrawn,
    samples,
    traversals,
)
from keras_gen.workshop.visualize.planar import densities, planar_densities, vector_fields
from keras_gen.workshop.visualize.plots import (
    code_histogram,
    code_scatter,
    filters,
    line_plot,
    new_figure,
    roc_plot,
    seen_pixels,
    unit_filters,
)
from keras_gen.workshop.visualize.rows_of_images import (
    analogies,
    anomalies,
    denoised,
    image_rows,
    inpaintings,
    reconstructions,
    sample_neighbors,
    style_mixing,
    swaps,
    translation_grid,
    translations_below,
)
from keras_gen.workshop.visualize.sample_paths import emerging, flowing, on_the_way
from keras_gen.workshop.visualize.show import show
from keras_gen.workshop.visualize.spectrograms import spectrograms
from keras_gen.workshop.visualize.strips_of_images import figure, film_strip, point_strips
