"""Names of reported numbers."""

from keras_gen.run.reports import prefixed, suffixed


def test_names():
    assert prefixed("vae_", {"nll": 1.0}) == {"vae_nll": 1.0}
    assert suffixed({"nll": 1.0}, "_vae") == {"nll_vae": 1.0}
