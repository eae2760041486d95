"""The prompts of `cookiecutter.json`: their labels, their defaults, and where they are listed."""

import re

import pytest
from hypothesis import given

from tests.support.answers import names
from tests.support.hooks import PRE_GEN
from tests.support.template import ANSWERS, CONTEXT, PROMPTS, TEMPLATE, render

LABELS = CONTEXT["__prompts__"]


def test_prompts_are_few() -> None:
    """There are at most eight prompts."""
    assert len(PROMPTS) <= 8


def test_every_prompt_has_a_label() -> None:
    """Each prompt has a label, and each label belongs to a prompt."""
    assert list(LABELS) == PROMPTS


def test_labels_survive_rich() -> None:
    """No label has square brackets, which Rich takes for markup."""
    assert "[" not in "".join(LABELS.values())


def test_readme_explains_every_prompt() -> None:
    """The README's table has a row for each prompt, in order, with the default Python."""
    readme = (TEMPLATE / "README.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE) == PROMPTS
    assert f"| `python_version` | {ANSWERS['python_version']} |" in readme


SLUGS = {"Microblog": "microblog", "My  Blog!": "my-blog", "Zoë's blog": "zoe-s-blog"}
SLUGS |= {"微博": "wei-bo", "9 Lives": "lives", "a" * 60: "a" * 50, f"{'a' * 49} b": "a" * 49}
SLUGS |= dict.fromkeys(["2026", "🚀", "--"], "microblog")


@pytest.mark.parametrize(("name", "slug"), SLUGS.items())
def test_slug_follows_from_name(name: str, slug: str) -> None:
    """The default slug is the name in ASCII letters, and never empty."""
    assert render(CONTEXT["project_slug"], project_name=name) == slug


@given(names)
def test_defaults_are_legal(name: str) -> None:
    """Every default is a legal answer if the name is legal."""
    slug = render(CONTEXT["project_slug"], project_name=name)
    image = render(CONTEXT["docker_image"], project_slug=slug)
    answers = ANSWERS | {"project_name": name, "project_slug": slug, "docker_image": image}
    assert PRE_GEN.find_faults(answers) == []


@pytest.mark.parametrize("slug", ["microblog", "a--b", "a-", "a--"])
def test_image_follows_from_slug(slug: str) -> None:
    """The default image is the slug without the final hyphens, which Docker refuses."""
    assert render(CONTEXT["docker_image"], project_slug=slug) == slug.rstrip("-")
