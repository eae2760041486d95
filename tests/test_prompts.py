"""The prompts of `cookiecutter.json`, their labels and their defaults."""

import pytest
from helpers import ANSWERS, CONTEXT, render
from hypothesis import given
from pre_gen_project import find_faults
from strategies import names

PROMPTS = [key for key in CONTEXT if not key.startswith("_")]
LABELS = CONTEXT["__prompts__"]


def test_prompts_are_few() -> None:
    """Nobody is asked more than eight questions."""
    assert len(PROMPTS) <= 8


def test_every_prompt_has_a_label() -> None:
    """Each prompt reads as words, and no label is left over."""
    assert list(LABELS) == PROMPTS


@pytest.mark.parametrize("label", LABELS.values())
def test_labels_survive_rich(label: str) -> None:
    """Rich takes square brackets for markup and drops them."""
    assert "[" not in label


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Microblog", "microblog"),
        ("My  Blog!", "my-blog"),
        ("Zoë's blog", "zoe-s-blog"),
        ("微博", "wei-bo"),
        ("9 Lives", "lives"),
        ("2026", "microblog"),
        ("🚀", "microblog"),
        ("--", "microblog"),
        ("a" * 60, "a" * 50),
        ("a" * 49 + " b", "a" * 49),
    ],
)
def test_slug_follows_from_name(name: str, slug: str) -> None:
    """The default slug is the name in plain letters, and never empty."""
    assert render(CONTEXT["project_slug"], project_name=name) == slug


@given(names)
def test_defaults_are_legal(name: str) -> None:
    """Whoever gives a legal name and takes every default gets a project."""
    slug = render(CONTEXT["project_slug"], project_name=name)
    image = render(CONTEXT["docker_image"], project_slug=slug)
    answers = ANSWERS | {"project_name": name, "project_slug": slug, "docker_image": image}
    assert find_faults(answers) == []


@pytest.mark.parametrize("slug", ["microblog", "a--b", "a-", "a--"])
def test_image_follows_from_slug(slug: str) -> None:
    """The default image is the slug, but for the hyphens at its end that Docker refuses."""
    assert render(CONTEXT["docker_image"], project_slug=slug) == slug.rstrip("-")
