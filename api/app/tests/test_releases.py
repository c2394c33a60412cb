"""Releases: one place says which version this is, and everything else agrees with it."""

import re
import tomllib
from pathlib import Path

import yaml
from django.conf import settings

from core.version import USER_AGENT, VERSION

ROOT: Path = settings.REPOSITORY_DIR


def test_all_that_names_the_version_names_the_same(client, db):
    chart = yaml.safe_load((ROOT / "deploy/helm/burgee/Chart.yaml").read_text())
    manifests = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    answer = client.get("/version/")

    assert answer.headers["Flagsmith-Version"] == VERSION
    assert answer.json()["package_versions"]["."] == VERSION
    assert f"burgee/{VERSION}" == USER_AGENT
    assert chart["appVersion"] == project["version"] == VERSION
    assert [image["newTag"] for image in manifests["images"]] == [VERSION]


def test_the_changelog_is_in_order_and_has_this_version_or_what_comes():
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert headings[0] == "Unreleased"
    released = [re.fullmatch(r"(\d+)\.(\d+)\.(\d+) - \d{4}-\d\d-\d\d", each) for each in headings[1:]]
    assert all(released), headings
    numbers = [tuple(map(int, each.groups())) for each in released if each]
    assert numbers == sorted(numbers, reverse=True)
    assert not numbers or max(numbers) <= tuple(map(int, VERSION.split(".")))
