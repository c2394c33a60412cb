"""A project is let into a Slack workspace by a browser that an administrator has sent there."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from rest_framework.test import APIClient

from audit.models import RowChange
from environments.models import Environment
from integrations.models import Integration
from integrations.tests.slack import CLIENT_ID, CODE, TOKEN, SlackServer

GOAL = "https://flags.example.org/project/1/integrations"


@pytest.fixture
def slack(settings) -> Iterator[SlackServer]:
    settings.FLAGSMITH_DOMAIN = "api.example.org"
    settings.OIDC_REDIRECT_ORIGINS = ["https://flags.example.org"]
    server = SlackServer()
    server.use_in(settings)
    with server.running():
        yield server


@pytest.fixture
def base(environment) -> str:
    return f"/api/v1/environments/{environment.api_key}/integrations"


@pytest.fixture
def signature(admin_client, base) -> str:
    return admin_client.get(f"{base}/slack/signature/").json()["signature"]


def leave(browser: APIClient, base: str, signature: str, goal: str = GOAL):
    return browser.get(f"{base}/slack/oauth/?{urlencode({'redirect_url': goal, 'signature': signature})}")


def state_in(answer) -> str:
    return parse_qs(urlsplit(answer["Location"]).query)["state"][0]


def test_an_administrator_lets_the_project_in_and_chooses_a_channel(
    slack, admin_client, admin, environment, base, signature
):
    browser = APIClient()

    away = leave(browser, base, signature)
    back = browser.get(f"{base}/slack/callback/?{urlencode({'code': CODE, 'state': state_in(away)})}")
    first = admin_client.get(f"{base}/slack-channels?limit=2")
    rest = admin_client.get(f"{base}/slack-channels?limit=100000&cursor={first.json()['cursor']}")

    there = urlsplit(away["Location"])
    asked = {name: values[0] for name, values in parse_qs(there.query).items()}
    assert (away.status_code, f"{there.scheme}://{there.netloc}{there.path}") == (
        302,
        f"{slack.url}/oauth/v2/authorize",
    )
    assert asked["client_id"] == CLIENT_ID
    assert set(asked["scope"].split(",")) == {"channels:read", "chat:write", "chat:write.public"}
    assert asked["redirect_uri"] == slack.callback == f"http://api.example.org{base}/slack/callback/"
    assert (back.status_code, back["Location"]) == (302, GOAL)
    assert first.json() == {
        "cursor": "2",
        "channels": [
            {"channel_name": "all", "channel_id": "C0"},
            {"channel_name": "dev", "channel_id": "C1"},
        ],
    }
    assert rest.json() == {"cursor": "", "channels": [{"channel_name": "ops", "channel_id": "C2"}]}
    workspace = Integration.objects.get(project=environment.project)
    assert (workspace.kind, workspace.configuration) == ("slack-workspace", {"api_token": TOKEN})
    change = RowChange.objects.get(table_name="integrations_integration")
    assert (change.actor_id, change.concealed) == (admin.pk, ["secrets"])


def test_who_says_no_at_slack_comes_back_and_who_comes_again_replaces_the_token(
    slack, base, signature, project
):
    Integration.objects.create(kind="slack-workspace", project=project, secrets={"api_token": "xoxb-old"})
    browser = APIClient()

    refused = browser.get(
        f"{base}/slack/callback/?error=access_denied&state={state_in(leave(browser, base, signature))}"
    )
    after_no = Integration.objects.get().configuration
    browser.get(f"{base}/slack/callback/?code={CODE}&state={state_in(leave(browser, base, signature))}")

    assert (refused.status_code, refused["Location"]) == (302, GOAL)
    assert after_no == {"api_token": "xoxb-old"}
    assert Integration.objects.get().configuration == {"api_token": TOKEN}


def test_only_the_browser_that_began_may_end_it_once(slack, base, signature):
    browser, state = APIClient(), ""
    state = state_in(leave(browser, base, signature))

    answers = [
        APIClient().get(f"{base}/slack/callback/?code={CODE}&state={state}"),
        browser.get(f"{base}/slack/callback/?code=wrong&state={state}"),
        browser.get(f"{base}/slack/callback/?code={CODE}&state={state}"),
    ]

    assert [answer.status_code for answer in answers] == [403, 400, 403]
    assert not Integration.objects.exists()


def test_a_signature_is_good_for_its_environment_and_for_administrators_alone(
    slack, admin, organisation, project, base, signature
):
    other = Environment.objects.create(project=project, name="Staging")
    elsewhere = base.replace(base.split("/")[4], other.api_key)

    statuses = {
        "another environment": leave(APIClient(), elsewhere, signature).status_code,
        "made up": leave(APIClient(), base, "e30:1w:x").status_code,
        "to another site": leave(APIClient(), base, signature, "https://evil.example.org/").status_code,
    }
    browser = APIClient()
    state = state_in(leave(browser, base, signature))
    organisation.memberships.filter(user=admin).delete()
    statuses["no administrator any more"] = browser.get(
        f"{base}/slack/callback/?code={CODE}&state={state}"
    ).status_code

    assert statuses == {
        "another environment": 403,
        "made up": 403,
        "to another site": 400,
        "no administrator any more": 403,
    }
    assert not Integration.objects.exists()


def test_without_a_token_that_works_there_are_no_channels(slack, admin_client, base, project):
    without = admin_client.get(f"{base}/slack-channels")
    Integration.objects.create(kind="slack-workspace", project=project, secrets={"api_token": "revoked"})
    with_old = admin_client.get(f"{base}/slack-channels?limit=20&cursor=")
    slack.routes.clear()
    while_away = admin_client.get(f"{base}/slack-channels")

    for answer in (without, with_old):
        assert (answer.status_code, answer.json()) == (
            400,
            {"detail": "Slack api token not found. Please generate the token using oauth"},
        )
    assert while_away.status_code == 502


def test_where_the_installation_has_no_app_browsers_are_told_so(base, settings):
    settings.SLACK_CLIENT_ID = ""

    for page in ("oauth", "callback"):
        answer = APIClient().get(f"{base}/slack/{page}/")

        assert (answer.status_code, answer.json()) == (503, {"message": "Slack is not configured"})
