"""A content that went through bytes answers as the one that was read from rows."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from documents.builder import build
from documents.rows import read_rows
from documents.tests.factories import make_feature, make_segment, override_for_identity, override_for_segment
from identities.models import Identity
from sdk.contents import Content, content_of
from sdk.keys import key_name
from sdk.snapshots import Snapshot, compile_snapshot


@pytest.fixture
def full(project, environment):
    """An environment with something of everything."""
    for number in range(3):
        feature = make_feature(
            project, f"feature_{number}", value="ö\u2028\"'", variants={"a": ("A", 33.3), "": ("B", 12.5)}
        )
        override_for_segment(feature, environment, make_segment(project), value=2**31 - 1)
        override_for_identity(feature, environment, f"kim {number}", value=True, weights={"a": 100})
    make_feature(project, "for_servers", is_server_key_only=True)
    environment.server_side_keys.create(name="lasting", key="ser.lasting")
    environment.server_side_keys.create(name="off", key="ser.off", active=False)
    environment.server_side_keys.create(
        name="ending", key="ser.ending", expires_at=timezone.now() + timedelta(days=1)
    )
    return environment


def answers(snapshot: Snapshot) -> list[object]:
    evaluations = [snapshot.evaluate(name, {"plan": "pro"}) for name in ("kim 0", "kim 2", "lee")]
    return [
        snapshot.revision,
        snapshot.project_id,
        snapshot.settings,
        snapshot.keys,
        snapshot.document_body,
        snapshot.flags_to_servers,
        snapshot.flags_to_clients,
        [
            [snapshot.identity_items.of(flag, to_server=True) for flag in each.flags.values()]
            for each in evaluations
        ],
        [[(flag.value, flag.reason) for flag in each.flags.values()] for each in evaluations],
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_document", [True, False])
def test_a_content_read_back_from_bytes_answers_the_same(full, in_document):
    type(full).objects.update(use_identity_overrides_in_local_eval=in_document)
    content = content_of(read_rows(full.pk))

    read_back = Content.from_bytes(content.revision.name, content.to_bytes())

    assert read_back == content
    assert answers(compile_snapshot(read_back)) == answers(compile_snapshot(content))
    assert Identity.objects.count() == len(compile_snapshot(read_back).identity_overrides) == 3


@pytest.mark.django_db(transaction=True)
def test_no_secret_key_stands_in_a_content(full):
    written = content_of(read_rows(full.pk)).to_bytes()

    assert b"ser.lasting" not in written
    assert key_name("ser.lasting").encode() in written
    assert key_name("ser.off").encode() not in written


@pytest.mark.django_db(transaction=True)
def test_the_document_is_json_as_it_stands(full):
    rows = read_rows(full.pk)

    assert json.loads(content_of(rows).document_body) == build(rows).document


def test_an_environment_that_has_no_revision_yet_is_numbered_zero(full):
    assert content_of(read_rows(full.pk)).revision.name.number == 0
