"""Taking changes back: from the change that somebody asks for to what an SDK reads again afterwards."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from audit.models import AuditRecord
from tasks.models import Job
from tasks.services import run_due
from workflows.tests.factories import let_time_come, soon

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "0123-quagga-JUMPS"


class Person:
    """Somebody who uses the API, and knows no more of the server than what it answers."""

    def __init__(self, email: str) -> None:
        self.client = APIClient()
        body = {"email": email, "password": PASSWORD, "first_name": "A", "last_name": "B"}
        self.client.credentials(HTTP_AUTHORIZATION=f"Token {self.post('auth/users/', body)['key']}")

    def post(self, path: str, body: Any = None, status: int | None = None) -> Any:
        return self._ask("post", path, body, status)

    def put(self, path: str, body: Any, status: int | None = None) -> Any:
        return self._ask("put", path, body, status)

    def get(self, path: str) -> Any:
        return self._ask("get", path, None, None)

    def _ask(self, method: str, path: str, body: Any, status: int | None) -> Any:
        response = getattr(self.client, method)(f"/api/v1/{path}", body, format="json")
        if status is None:
            assert 200 <= response.status_code < 300, response.content
        else:
            assert response.status_code == status, response.content
        return response.json()


def read(environment: dict[str, Any]) -> Any:
    """Return what an SDK is served of the only flag."""
    response = APIClient(headers={"X-Environment-Key": environment["api_key"]}).get("/api/v1/flags/")
    [flag] = response.json()
    return flag["enabled"], flag["feature_state_value"]


def test_a_change_is_asked_for_approved_scheduled_read_on_time_and_rolled_back(settings):
    settings.ENABLE_EMAIL_ACTIVATION = False
    ada = Person("ada@example.org")
    organisation = ada.post("organisations/", {"name": "Acme"})
    link = ada.post(f"organisations/{organisation['id']}/invite-links/", {"role": "ADMIN"})
    bob = Person("bob@example.org")
    bob.post(f"users/join/link/{link['hash']}/")
    project = ada.post("projects/", {"name": "Shop", "organisation": organisation["id"]})
    production = ada.post("environments/", {"name": "Production", "project": project["id"]})
    feature = ada.post(f"projects/{project['id']}/features/", {"name": "paint", "initial_value": "blue"})
    here = f"environments/{production['api_key']}/"
    [state] = ada.get(f"{here}featurestates/?feature={feature['id']}")["results"]
    ada.put(here, {**production, "minimum_change_request_approvals": 1})
    assert read(production) == (False, "blue")

    # It can't be changed directly, but asked for.
    refused = ada.put(f"{here}featurestates/{state['id']}/", {"enabled": True}, 403)
    assert refused["code"] == "approval_required"
    me = bob.get("auth/users/me/")
    wanted = {
        "feature": feature["id"],
        "feature_segment": None,
        "enabled": True,
        "feature_state_value": {"type": "unicode", "string_value": "red"},
        "live_from": soon().isoformat(),
    }
    body = {"title": "Red", "feature_states": [wanted], "approvals": [{"user": me["id"]}]}
    asked = ada.post(f"{here}create-change-request/", body)
    request = f"features/workflows/change-requests/{asked['id']}/"
    [foreseen] = ada.post(f"{request}preview/")["documents"]
    assert [each["change"] for each in foreseen["changes"]] == ["updated"]
    ada.post(f"{request}approve/", status=400)
    ada.post(f"{request}commit/", status=400)
    bob.post(f"{request}approve/")
    ada.post(f"{request}commit/")

    # It takes effect when its time comes, not before.
    run_due()
    assert read(production) == (False, "blue")
    let_time_come(asked)
    assert read(production) == (True, "red")

    # It is found among what has changed, and taken back in the same way as everything else here.
    newest = ada.get(f"{here}revisions/")["results"][0]
    assert [each["log"] for each in newest["records"]] == [
        "Scheduled change to Flag state / Remote config value went live for feature: paint "
        "by Change Request: Red"
    ]
    revision = f"{here}revisions/{newest['revision']}/"
    [changed] = ada.get(revision)["changes"]
    assert (changed["kind"], changed["feature"]["name"]) == ("environment_default", "paint")
    assert changed["differences"] == [
        {"field": "enabled", "old": False, "new": True},
        {"field": "feature_state_value", "old": "blue", "new": "red"},
    ]
    [document] = ada.post(f"{revision}rollback/preview/")["documents"]
    assert document["environment"]["api_key"] == production["api_key"]
    assert document["changes"][0]["differences"] == [
        {"field": "enabled", "old": True, "new": False},
        {"field": "feature_state_value", "old": "red", "new": "blue"},
    ]
    refused = ada.post(f"{revision}rollback/", {}, 403)
    assert (refused["code"], "request" in refused["offer"]) == ("approval_required", True)
    ada.post(f"{revision}rollback/", {"mode": "schedule", "live_from": soon().isoformat()}, 403)
    offered = ada.post(f"{revision}rollback/", {"mode": "request", "approvals": [{"user": me["id"]}]})
    assert read(production) == (True, "red")
    request = f"features/workflows/change-requests/{offered['change_request']}/"
    assert ada.get(request)["title"] == f"Roll back revision {newest['revision']}"
    bob.post(f"{request}approve/")
    ada.post(f"{request}commit/")
    assert read(production) == (False, "blue")
    assert not Job.objects.filter(state="dead").exists()


def test_one_call_takes_a_change_back_and_what_was_edited_since_is_shown_and_stays(
    admin_client, environment, feature, sdk_client
):
    here = f"/api/v1/environments/{environment.api_key}/"
    state = f"{here}featurestates/{feature.feature_states.get().pk}/"

    def change(**fields: Any) -> None:
        assert admin_client.put(state, fields, format="json").status_code == 200

    def newest() -> str:
        return f"{here}revisions/{admin_client.get(f'{here}revisions/').json()['results'][0]['revision']}/"

    def post(path: str, body: Any = None) -> Any:
        return admin_client.post(path, body or {}, format="json")

    def served() -> Any:
        [flag] = sdk_client.get("/api/v1/flags/").json()
        return flag["enabled"], flag["feature_state_value"]

    change(enabled=True, feature_state_value="red")
    mine = newest()
    change(feature_state_value="green")

    nothing = post(f"{mine}rollback/", {"all_or_nothing": True})
    assert (nothing.status_code, nothing.json()["code"], served()) == (409, "edited_since", (True, "green"))
    answer = post(f"{mine}rollback/")

    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert served() == (False, "green")
    assert shown["changes"][0]["differences"] == [{"field": "enabled", "old": True, "new": False}]
    assert shown["conflicts"][0]["differences"] == [
        {"field": "feature_state_value", "before": "blue", "after": "red", "now": "green"}
    ]
    assert AuditRecord.objects.order_by("-pk")[0].log == (
        f"Revision {mine.split('/')[-2]} rolled back in environment 'Production'"
    )
    # What there is left of it is a conflict; what was rolled back can be rolled back in its turn.
    undone = newest()
    again = post(f"{mine}rollback/")
    assert (again.status_code, again.json()["code"], len(again.json()["conflicts"])) == (
        409,
        "nothing_to_do",
        1,
    )
    assert post(f"{undone}rollback/").status_code == 200
    assert served() == (True, "green")
    # Or later, at a time that one says.
    scheduled = post(f"{mine}rollback/", {"mode": "schedule", "live_from": soon().isoformat()}).json()
    assert served() == (True, "green")
    let_time_come({"id": scheduled["change_request"]})
    assert served() == (False, "green")
    # All of it together is what was changed between the first and the last.
    first = int(mine.split("/")[-2]) - 1
    between = admin_client.get(f"{here}revisions/compare/", {"from_revision": first}).json()["changes"]
    assert between[0]["differences"] == [{"field": "feature_state_value", "old": "blue", "new": "green"}]
    assert admin_client.get(f"{here}revisions/999/").status_code == 404
    assert post(f"{here}revisions/999/rollback/").status_code == 404
