"""The licences of the packages that the project ships."""

import json

import pytest

from tests.support.servers import Project
from tests.support.template import BODY

PERMISSIVE = """\
Apache-2.0, Apache-2.0 OR BSD-2-Clause, BSD License, BSD-2-Clause, BSD-3-Clause, ISC, MIT, \
MIT License, PSF-2.0, The Unlicense (Unlicense)"""
PERMITTED = set(PERMISSIVE.split(", "))
EXPECTED = {  # licences that are not permissive
    "certifi": "MPL-2.0 covers its own files only, which are certificates.",
    "psycopg": "The LGPL lets any app import a library that can be replaced.",
    "psycopg-binary": "The LGPL lets any app import a library that can be replaced.",
}
LIST_LICENCES = """
import json
from importlib.metadata import distributions

def licence(metadata):
    classifiers = [line.split(" :: ") for line in metadata.get_all("Classifier", [])]
    named = [names[-1] for names in classifiers if names[0] == "License"]
    return metadata["License-Expression"] or " and ".join(named) or metadata["License"]

print(json.dumps({each.name: licence(each.metadata) for each in distributions()}))
"""


@pytest.mark.slow
def test_packages_have_permissive_licences(project: Project) -> None:
    """Every package of the image has a permissive licence, except those listed."""
    licences = json.loads(project.succeed("python", "-c", LIST_LICENCES))
    assert {name for name in licences if licences[name] not in PERMITTED} == set(EXPECTED)


def test_browser_packages_have_permissive_licences() -> None:
    """Every npm package that the browser's script contains has a permissive licence."""
    lock = json.loads((BODY / "browser/package-lock.json").read_text("utf-8"))
    contained = [p for name, p in lock["packages"].items() if name and not p.get("dev")]
    assert {package["license"] for package in contained} <= PERMITTED
