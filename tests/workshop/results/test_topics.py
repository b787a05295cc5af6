"""Topics of lectures, and the recipes that show them."""

import pytest

from keras_gen.workshop.results.topics import read_topics
from processes import RECIPES, ROOT

pytestmark = pytest.mark.pages


def test_every_recipe_shows_a_topic_and_every_name_is_one_of_a_recipe():
    chapters = read_topics(ROOT / "recipes")
    named = [name for chapter in chapters.values() for names in chapter.values() for name in names]
    assert set(named) == set(RECIPES)


def test_a_topic_stands_in_one_chapter(tmp_path):
    text = '[Flows]\n"density" = ["glow"]\n[GANs]\n"density" = ["gan"]\n'
    (tmp_path / "topics.toml").write_text(text)
    with pytest.raises(ValueError, match=r"has the topic 'density' in two chapters"):
        read_topics(tmp_path)
    assert read_topics(tmp_path / "none") == {}
