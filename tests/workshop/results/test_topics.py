"""Topics of lectures, and the recipes that show them."""

import pytest

from keras_gen.workshop.results.topics import read_chapters, read_topics, topics_page
from processes import RECIPES, ROOT

pytestmark = pytest.mark.pages

TOPICS = {"Flows": {"affine coupling": ["real_nvp"], "dequantization": ["real_nvp", "glow"]}}


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


def test_the_page_has_links_to_recipes_classes_images_and_chapters():
    classes = {"real_nvp": "`Flow`", "glow": "`Flow`, 2 more"}
    files = {"Flow": "keras_gen/flows/flow.py"}
    lines = topics_page(TOPICS, classes, files, ["glow"], {"glow": ["08_flows"]}).splitlines()
    flow = "[`Flow`](../keras_gen/flows/flow.py)"
    real_nvp, glow = (f"[{name}](../recipes/{name}.py)" for name in ("real_nvp", "glow"))
    image = "([image](../recipes/results/glow.png))"
    assert f"| affine coupling | {real_nvp} | {flow} |  |" in lines
    chapter = "[8](course/08_flows.md)"
    assert f"| dequantization | {real_nvp}, {glow} {image} | {flow}, 2 more | {chapter} |" in lines


def test_chapters_are_those_whose_tables_name_a_recipe(tmp_path):
    link = "[{0}](../../recipes/{0}.py)".format
    table = f"| topic | class |\n|-|-|\n| a | {link('glow')} |\n"
    (tmp_path / "08_flows.md").write_text(f"See {link('vae')}.\n\n{table}")
    (tmp_path / "README.md").write_text(table)
    (tmp_path / "10_more.md").write_text(table)
    assert read_chapters(tmp_path) == {"glow": ["08_flows", "10_more"]}
