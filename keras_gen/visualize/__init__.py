"""Images of what models do and of what their codes hold, as uint8 arrays.

Each image of a model becomes a callback through `SampleGrid`, which draws with the averaged
weights; `figure` makes a matplotlib figure of any of them:

```python
draw = lambda model: traversals(model, held_out[:1])
model.fit(data, callbacks=[SampleGrid(draw, "runs/a/traversals", every=5)])
```
"""

from keras_gen.visualize.models import (
    figure,
    interpolations,
    manifold,
    random_codes,
    reconstructions,
    samples,
    translation_grid,
    traversals,
)
from keras_gen.visualize.plots import code_scatter, filters, line_plot

__all__ = [
    "code_scatter",
    "figure",
    "filters",
    "interpolations",
    "line_plot",
    "manifold",
    "random_codes",
    "reconstructions",
    "samples",
    "translation_grid",
    "traversals",
]
