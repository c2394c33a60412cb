"""Who and what change requests are about."""

import pytest

from conftest import member_of
from organisations.models import MemberRole
from segments.models import Segment
from segments.tests.factories import make_segment
from users.models import User


@pytest.fixture
def reviewer(organisation) -> User:
    return member_of(organisation, MemberRole.ADMIN)


@pytest.fixture
def segment(project) -> Segment:
    return make_segment(project, name="beta")
