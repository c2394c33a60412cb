"""Other services are told of identities, through whichever door their flags were read."""

import json

import pytest

from app.tests.doors import Exchange, running_server
from integrations.models import Integration, Message

pytestmark = pytest.mark.django_db(transaction=True)


def identify(environment, body: bytes) -> Exchange:
    headers = (("X-Environment-Key", environment.api_key), ("Content-Type", "application/json"))
    return Exchange("POST", "/api/v1/identities/", headers, body)


def test_the_lane_notes_whose_flags_are_read_and_leaves_messages_when_it_ends(environment, feature, settings):
    settings.TASK_RUN_METHOD = "TASK_PROCESSOR"  # nobody runs them
    integration = Integration.objects.create(
        kind="webhook", environment=environment, secrets={"url": "https://93.184.215.14/", "secret": ""}
    )
    traits = [{"trait_key": "plan", "trait_value": "pro"}]
    body = json.dumps({"identifier": "kim", "traits": traits}).encode()

    with running_server() as server:
        answers = [server.ask(identify(environment, body)) for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert server.reached_django == 0
    (message,) = Message.objects.all()
    assert message.integration_id == integration.pk
    assert message.content == {"identities": [{"identifier": "kim", "traits": {"plan": ["pro", False]}}]}


def test_where_nobody_is_told_the_lane_leaves_nothing(environment, feature):
    with running_server() as server:
        answer = server.ask(identify(environment, b'{"identifier": "kim"}'))

    assert answer.status == 200
    assert not Message.objects.exists()
