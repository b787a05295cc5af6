"""Images of what models do and of what their codes hold, as uint8 arrays.

Each image of a model becomes a callback through `SampleGrid`, which draws with the averaged
weights; `figure` makes a matplotlib figure of any of them:

```python
draw = lambda model: traversals(model, held_out[:1])
model.fit(data, callbacks=[SampleGrid(draw, "runs/a/traversals", every=5)])
```
"""

from keras_gen.visualize.games import densities, vector_fields
from keras_gen.visualize.models import (
    arithmetic,
    class_traversals,
    interpolations,
    manifold,
    ordered_traversals,
    perturbations,
    random_codes,
    redrawn,
    samples,
    traversals,
)
from keras_gen.visualize.plots import (
    code_histogram,
    code_scatter,
    filters,
    line_plot,
    roc_plot,
    unit_filters,
)
from keras_gen.visualize.rows import (
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
)
from keras_gen.visualize.sounds import spectrograms
from keras_gen.visualize.strips import figure, film_strip, point_strips, strips
