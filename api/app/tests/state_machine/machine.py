"""The actions: each asks the API for a change, and makes the same change to the model.

What the API must refuse is asked as well: then nothing may have changed.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from functools import wraps
from itertools import count
from typing import Any

from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from rest_framework.test import APIClient

from app.tests.state_machine.model import SETTINGS, Dict, Model, Value, described, state
from users.models import User

MOST_ENVIRONMENTS = 3

picks = st.integers(0, 59)  # which of several: 60 is divisible by every small number
values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**31), 2**31 - 1), st.sampled_from(["", "blue", " a ", "5", "é"])
)
texts = st.sampled_from(["blue", "5", " a ", "é"])
initial_values = st.sampled_from([None, "blue", "5", "-7", "True", "false", "2147483648", "1.5"])
weights = st.lists(st.sampled_from([0, 10, 25, 30.5, 60, 100]), min_size=3, max_size=3)
priorities = st.one_of(st.none(), st.integers(0, 3))
endings = st.sampled_from(["at once", "as a draft", "never"])
conditions = st.sampled_from(
    [
        {"operator": "EQUAL", "property": "country", "value": "FR"},
        {"operator": "IN", "property": "plan", "value": "pro,team"},
        {"operator": "PERCENTAGE_SPLIT", "property": "", "value": "20"},
        {"operator": "REGEX", "property": "email", "value": r"^.*@example\.org$"},
        {"operator": "IS_SET", "property": "age", "value": None},
    ]
)
nested_rules = st.fixed_dictionaries(
    {"type": st.sampled_from(["ALL", "ANY", "NONE"]), "conditions": st.lists(conditions, max_size=2)}
)
rules_of_segments = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["ALL", "ANY"]),
            "conditions": st.lists(conditions, max_size=1),
            "rules": st.lists(nested_rules, max_size=2),
        }
    ),
    min_size=1,
    max_size=2,
)


# Of all runs: how often each kind of action was done. A refusal is an action as well.
done: Counter[str] = Counter()


def action(**arguments: Any) -> Callable[[Callable[..., None]], Any]:
    """Make a method a kind of action, which is counted."""

    def decorate(method: Callable[..., None]) -> Any:
        done[method.__name__] = 0

        @wraps(method)
        def counted(self: "FlagManagement", **given: Any) -> None:
            method(self, **given)
            done[method.__name__] += 1

        return rule(**arguments)(counted)

    return decorate


class FlagManagement(RuleBasedStateMachine):
    """A project that is worked on, one action at a time."""

    _names = count(1)

    def __init__(self) -> None:
        super().__init__()
        self._undone = transaction.atomic()
        self._undone.__enter__()
        self.documents: dict[int, APIClient] = {}
        self.revisions: dict[int, int] = {}
        self.client = APIClient()

    @initialize()
    def project(self) -> None:
        """Begin with some of everything, so that there is no kind of action that has nothing to do."""
        user = User.objects.get()
        self.client.force_authenticate(user)
        name = self.name("project")
        body = {"name": name, "organisation": user.memberships.get().organisation_id}
        self.model = Model(name)
        self.model.project["number"] = self.ask("POST", "projects/", body, 201)["id"]
        self.create_environment()
        self.create_feature(initial_value="blue", default_enabled=True)
        self.create_multivariate_feature(initial_value="5", default_enabled=False, given=[25, 60], options=2)
        for _ in range(3):
            self.create_segment(rules=[{"type": "ALL", "conditions": [], "rules": []}])
        for of in range(2):
            self.create_an_override(pick=0, which=of, of=of, value=of, priority=None, given=[10, 30.5])
        self.create_an_override(pick=0, which=0, of=1, value="a", priority=0, given=[])
        self.create_an_identity(pick=0)
        self.create_an_override_for_an_identity(pick=0, which=1, value="mine", given=[100])
        self.clone_environment(pick=0)
        self.keep_versions(pick=1)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._undone.__exit__(None, None, None)

    @invariant()
    def what_is_published_is_the_model(self) -> None:
        """As SDKs get it, after a commit; and those environments that were touched have a new revision."""
        if not hasattr(self, "model"):
            return
        connection.check_constraints()  # as a commit does: now the revisions are raised
        moved = set()
        for number in self.model.environments:
            response = self.documents[number].get("/api/v1/environment-document/")
            assert response.status_code == 200, response.content
            document = described(response.json())
            self.model.learn(number, document)
            assert document == self.model.published(number)
            revision = int(response["X-Burgee-Revision"].split(":")[-1])
            if revision != self.revisions.get(number, revision):
                assert revision == self.revisions[number] + 1
                moved.add(number)
            elif number not in self.revisions:
                moved.add(number)
            self.revisions[number] = revision
        expected = self.model.touched & self.model.environments.keys()
        assert moved - self.model.perhaps_touched == expected - self.model.perhaps_touched
        self.model.touched, self.model.perhaps_touched = set(), set()

    # Environments

    @precondition(lambda self: len(self.model.environments) < MOST_ENVIRONMENTS)
    @action()
    def create_environment(self) -> None:
        body = {"name": self.name("environment"), "project": self.model.project["number"]}
        self.add_environment(self.ask("POST", "environments/", body, 201))

    @precondition(lambda self: len(self.model.environments) < MOST_ENVIRONMENTS)
    @action(pick=picks)
    def clone_environment(self, pick: int) -> None:
        source = self.environment(pick)
        body = {"name": self.name("copy"), "clone_feature_states_async": False}
        made = self.ask("POST", f"{self.at(source)}clone/", body)
        self.model.clone_environment(source, made["id"], made["name"], made["api_key"])
        self.open(made)

    @action(pick=picks)
    def rename_environment(self, pick: int) -> None:
        number, name = self.environment(pick), self.name("renamed")
        self.ask("PUT", self.at(number), {"name": name, "project": 0, "is_creating": True})
        self.model.change_environment(number, name=name)

    @action(pick=picks, name=st.sampled_from(sorted(SETTINGS)), on=st.booleans())
    def change_environment_settings(self, pick: int, name: str, on: bool) -> None:
        number = self.environment(pick)
        self.ask("PATCH", self.at(number), {name: on, "banner_text": "Careful"})
        self.model.change_environment(number, **{name: on})

    @precondition(lambda self: len(self.model.environments) > 1)
    @action(pick=picks)
    def delete_environment(self, pick: int) -> None:
        number = self.environment(pick)
        self.ask("DELETE", self.at(number), {}, 204)
        self.model.delete_environment(number)
        assert self.documents.pop(number).get("/api/v1/environment-document/").status_code == 403
        self.revisions.pop(number, None)

    @action(
        name=st.sampled_from(["hide_disabled_flags", "prevent_flag_defaults", "enable_realtime_updates"]),
        on=st.booleans(),
    )
    def change_project_settings(self, name: str, on: bool) -> None:
        self.ask("PATCH", self.at_project(""), {name: on})
        self.model.change_project(**{name: on})

    # Features

    @precondition(lambda self: len(self.model.features) < 4)
    @action(initial_value=initial_values, default_enabled=st.booleans())
    def create_feature(self, initial_value: str | None, default_enabled: bool) -> None:
        self.add_feature(initial_value, default_enabled, [])

    @precondition(lambda self: len(self.model.features) < 4)
    @action(
        initial_value=initial_values, default_enabled=st.booleans(), given=weights, options=st.integers(1, 3)
    )
    def create_multivariate_feature(
        self, initial_value: str | None, default_enabled: bool, given: list[float], options: int
    ) -> None:
        shares = within_100_percent(given)[:options]
        served: list[Value] = ["red", 7, True]
        self.add_feature(
            initial_value,
            default_enabled,
            [option(None, value, share) for value, share in zip(served, shares, strict=False)],
        )

    @action(pick=picks)
    def attempt_to_rename_a_feature(self, pick: int) -> None:
        number = self.feature(pick)
        body = {"name": self.name("renamed"), "default_enabled": True, "initial_value": "new", "owners": []}
        self.ask("PATCH", self.at_feature(number), body)
        # What was created stays as it was.

    @action(pick=picks, on=st.booleans())
    def archive_a_feature(self, pick: int, on: bool) -> None:
        number = self.feature(pick)
        self.ask("PATCH", self.at_feature(number), {"is_archived": on})
        self.model.change_feature(number, is_archived=on)

    @action(pick=picks, on=st.booleans())
    def keep_a_feature_to_servers(self, pick: int, on: bool) -> None:
        number = self.feature(pick)
        self.ask("PATCH", self.at_feature(number), {"is_server_key_only": on})
        self.model.change_feature(number, is_server_key_only=on)

    @action(pick=picks, text=texts)
    def describe_a_feature(self, pick: int, text: str) -> None:
        number = self.feature(pick)
        self.ask("PATCH", self.at_feature(number), {"description": text.strip()})
        self.model.change_feature(number, description=text.strip())

    @precondition(lambda self: len(self.model.features) > 1)
    @action(pick=picks)
    def delete_a_feature(self, pick: int) -> None:
        number = self.feature(pick)
        self.ask("DELETE", self.at_feature(number), {}, 204)
        self.model.delete_feature(number)

    @action(pick=picks)
    def tag_a_feature(self, pick: int) -> None:
        number = self.feature(pick)
        tag = self.ask("POST", self.at_project("tags/"), {"label": self.name("tag")}, 201)
        self.ask("PATCH", self.at_feature(number), {"tags": [tag["id"]]})
        if pick % 2:
            self.ask("DELETE", self.at_project(f"tags/{tag['id']}/"), None, 204)

    # Options

    @action(pick=picks, value=values, share=st.sampled_from([0, 10, 30.5, 60]))
    def add_an_option(self, pick: int, value: Value, share: float) -> None:
        number = self.feature(pick)
        options = [*self.options(number), new := option(None, value, share)]
        body = {**typed_columns(value), "default_percentage_allocation": share, "feature": number}
        if not self.model.takes_options(number, options):
            self.ask("POST", self.at_feature(number, "mv-options/"), body, 400)
            return
        new["id"] = self.ask("POST", self.at_feature(number, "mv-options/"), body, 201)["id"]
        self.model.set_options(number, options)

    @precondition(lambda self: self.varied())
    @action(pick=picks, which=picks, value=values, share=st.sampled_from([0, 10, 30.5, 60]))
    def change_an_option(self, pick: int, which: int, value: Value, share: float) -> None:
        number = chosen(self.varied(), pick)
        old = chosen(self.options(number), which)
        new = option(old["id"], value, share)
        options = [new if each is old else each for each in self.options(number)]
        takes = sum(each["share"] for each in options) <= 100
        body = {**typed_columns(value), "default_percentage_allocation": share, "feature": number}
        self.ask("PUT", self.at_feature(number, f"mv-options/{old['id']}/"), body, 200 if takes else 400)
        if takes:
            self.model.set_options(number, options)

    @precondition(lambda self: self.varied())
    @action(pick=picks, which=picks)
    def remove_an_option(self, pick: int, which: int) -> None:
        number = chosen(self.varied(), pick)
        gone = chosen(self.options(number), which)
        self.ask("DELETE", self.at_feature(number, f"mv-options/{gone['id']}/"), None, 204)
        self.model.set_options(number, [each for each in self.options(number) if each is not gone])

    @precondition(lambda self: self.varied())
    @action(pick=picks, given=weights, kept=st.integers(0, 3))
    def replace_options(self, pick: int, given: list[float], kept: int) -> None:
        """The first ones are changed, the others go, and one is new."""
        number = chosen(self.varied(), pick)
        old = self.options(number)[:kept]
        options = [
            *(option(each["id"], each["value"], share) for each, share in zip(old, given, strict=False)),
            option(None, "new", 10),
        ]
        body = {
            "multivariate_options": [
                {
                    **({"id": each["id"]} if each["id"] else {}),
                    **typed_columns(each["value"]),
                    "default_percentage_allocation": each["share"],
                }
                for each in options
            ]
        }
        takes = self.model.takes_options(number, options)
        answer = self.ask("PATCH", self.at_feature(number), body, 200 if takes else 400)
        if takes:
            options[-1]["id"] = max(each["id"] for each in answer["multivariate_options"])
            self.model.set_options(number, options)

    # What everybody is served

    @action(pick=picks, which=picks, enabled=st.booleans())
    def switch(self, pick: int, which: int, enabled: bool) -> None:
        """As dashboards do: with the whole state that they have read."""
        number, feature = self.environment(pick), self.feature(which)
        read = self.default(number, feature)
        read.update(enabled=enabled, feature=feature, environment=number)
        if self.write(number, "PUT", f"{self.at(number)}featurestates/{read['id']}/", read):
            self.model.change_state(number, self.states(number)[feature], enabled=enabled)

    @action(pick=picks, which=picks, value=values)
    def set_a_value(self, pick: int, which: int, value: Value) -> None:
        number, feature = self.environment(pick), self.feature(which)
        path = f"{self.at(number)}featurestates/{self.default(number, feature)['id']}/"
        if self.write(number, "PATCH", path, {"feature_state_value": value}):
            self.model.change_state(number, self.states(number)[feature], value=value)

    @precondition(lambda self: self.varied())
    @action(pick=picks, which=picks, given=weights)
    def set_shares(self, pick: int, which: int, given: list[float]) -> None:
        number, feature = self.environment(pick), chosen(self.varied(), which)
        shares = self.shares(feature, given)
        takes = sum(shares.values()) <= 100
        path = f"{self.at(number)}featurestates/{self.default(number, feature)['id']}/"
        body = {"enabled": True, "multivariate_feature_state_values": allocations(shares)}
        if self.write(number, "PUT", path, body, 200 if takes else 400):
            self.model.change_state(number, self.states(number)[feature], enabled=True, shares=shares)

    @action(pick=picks, which=picks, value=texts, enabled=st.booleans())
    def update_a_flag_in_a_single_call(self, pick: int, which: int, value: str, enabled: bool) -> None:
        number, feature = self.environment(pick), self.feature(which)
        name = self.model.features[feature]["name"]
        body = {"feature": {"name": name}, "enabled": enabled, "value": {"type": "string", "value": value}}
        self.ask("POST", self.single_call(number, "update-flag-v1/"), body, 204)
        self.model.change_state(number, self.states(number)[feature], enabled=enabled, value=value)
        self.publish_if_versioned(number, feature)

    # What segments are served

    @precondition(lambda self: self.model.segments)
    @action(pick=picks, which=picks, of=picks, value=values, priority=priorities, given=weights)
    def create_an_override(
        self, pick: int, which: int, of: int, value: Value, priority: int | None, given: list[float]
    ) -> None:
        number, feature, segment = self.environment(pick), self.feature(which), self.segment(of)
        shares = self.shares(feature, within_100_percent(given))
        body = {
            "enabled": True,
            "feature_state_value": typed_columns(value),
            "feature_segment": {"segment": segment, "priority": priority},
            "multivariate_feature_state_values": allocations(shares),
        }
        path = f"{self.at(number)}features/{feature}/create-segment-override/"
        there = self.model.override(number, feature, segment)
        refused = bool(there) or not self.model.may_override(feature, segment)
        if answer := self.write(number, "POST", path, body, 400 if refused else 201):
            self.model.add_override(number, feature, segment, state(True, value, shares), priority)
            made = self.model.override(number, feature, segment)
            assert made
            assert answer["feature_segment"]["priority"] == made["priority"]

    @precondition(lambda self: self.overrides())
    @action(pick=picks, value=values, enabled=st.booleans(), given=weights)
    def update_an_override(self, pick: int, value: Value, enabled: bool, given: list[float]) -> None:
        number, feature, segment = chosen(self.overrides(), pick)
        listed = self.ask("GET", f"features/featurestates/?environment={number}&feature={feature}")["results"]
        place = self.places(number, feature)[segment]
        (read,) = [each for each in listed if each["feature_segment"] == place]
        shares = self.shares(feature, within_100_percent(given))
        body = {
            **read,
            "enabled": enabled,
            "feature_state_value": typed_columns(value),
            "multivariate_feature_state_values": allocations(shares),
        }
        if self.write(number, "PUT", f"features/featurestates/{read['id']}/", body):
            override = self.model.override(number, feature, segment)
            assert override
            self.model.change_state(number, override, enabled=enabled, value=value, shares=shares)

    @precondition(lambda self: self.overrides())
    @action(pick=picks, shift=st.integers(0, 2))
    def reorder_overrides(self, pick: int, shift: int) -> None:
        number, feature, _ = chosen(self.overrides(), pick)
        places = self.places(number, feature)
        order = list(places)[shift:] + list(places)[:shift]
        body = [{"id": places[segment], "priority": priority} for priority, segment in enumerate(order)]
        if self.write(number, "POST", "features/feature-segments/update-priorities/", body):
            self.model.reorder_overrides(number, feature, order)

    @precondition(lambda self: self.overrides())
    @action(pick=picks)
    def delete_an_override(self, pick: int) -> None:
        number, feature, segment = chosen(self.overrides(), pick)
        place = self.places(number, feature)[segment]
        if self.write(number, "DELETE", f"features/feature-segments/{place}/", {}, 204):
            self.model.delete_override(number, feature, segment)

    @precondition(lambda self: self.model.segments)
    @action(pick=picks, which=picks, of=picks, priority=priorities, value=texts)
    def set_an_override_in_a_single_call(
        self, pick: int, which: int, of: int, priority: int | None, value: str
    ) -> None:
        number, feature, segment = self.environment(pick), self.feature(which), self.segment(of)
        wanted = {"enabled": False, "value": {"type": "string", "value": value}}
        body = {
            "feature": {"id": feature},
            "environment_default": wanted,
            "segment_overrides": [{"segment_id": segment, "priority": priority, **wanted}],
        }
        takes = self.model.may_override(feature, segment)
        self.ask("POST", self.single_call(number, "update-flag-v2/"), body, 204 if takes else 400)
        if not takes:
            return
        self.model.change_state(number, self.states(number)[feature], enabled=False, value=value)
        override = self.model.override(number, feature, segment)
        if override is None:
            self.model.add_override(number, feature, segment, state(False, value), priority)
        else:
            self.model.change_state(number, override, enabled=False, value=value)
            if priority is not None:
                self.model.move_override(number, feature, segment, priority)
        self.publish_if_versioned(number, feature)

    @precondition(lambda self: self.model.segments)
    @action(pick=picks, which=picks, of=picks)
    def delete_an_override_in_a_single_call(self, pick: int, which: int, of: int) -> None:
        number, feature, segment = self.environment(pick), self.feature(which), self.segment(of)
        there = self.model.override(number, feature, segment)
        body = {"feature": {"id": feature}, "segment": {"id": segment}}
        self.ask("POST", self.single_call(number, "delete-segment-override/"), body, 204 if there else 404)
        if there:
            self.model.delete_override(number, feature, segment)
            self.publish_if_versioned(number, feature)

    # Versions

    @action(pick=picks)
    def keep_versions(self, pick: int) -> None:
        number = self.environment(pick)
        status = 400 if self.versioned(number) else 202
        self.ask("POST", f"{self.at(number)}enable-v2-versioning/", {}, status)
        if status == 202:
            self.model.keep_versions(number, True)

    @precondition(lambda self: any(map(self.versioned, self.model.environments)))
    @action(pick=picks)
    def keep_no_versions(self, pick: int) -> None:
        number = self.environment(pick)
        status = 202 if self.versioned(number) else 400
        self.ask("POST", f"{self.at(number)}disable-v2-versioning/", {}, status)
        if status == 202:
            self.model.keep_versions(number, False)

    @precondition(lambda self: any(map(self.versioned, self.model.environments)))
    @action(pick=picks, which=picks, value=values, given=weights, ending=endings)
    def publish_a_version_of_the_default(
        self, pick: int, which: int, value: Value, given: list[float], ending: str
    ) -> None:
        number = chosen(filter(self.versioned, self.model.environments), pick)
        feature = self.feature(which)
        shares = self.shares(feature, within_100_percent(given))
        wanted = {
            "feature_segment": None,
            "enabled": True,
            "feature_state_value": typed_columns(value),
            "multivariate_feature_state_values": allocations(shares),
        }
        if self.publish(number, feature, {"feature_states_to_update": [wanted]}, ending):
            default = self.states(number)[feature]
            self.model.change_state(number, default, enabled=True, value=value, shares=shares)
            self.model.publish_version(number, feature)

    @precondition(lambda self: self.model.segments and any(map(self.versioned, self.model.environments)))
    @action(pick=picks, which=picks, of=picks, value=values, priority=priorities, ending=endings)
    def publish_a_version_with_an_override(
        self, pick: int, which: int, of: int, value: Value, priority: int | None, ending: str
    ) -> None:
        """One that is there is changed, and in turn deleted; otherwise it is new."""
        number = chosen(filter(self.versioned, self.model.environments), pick)
        feature, segment = self.feature(which), self.segment(of)
        there = self.model.override(number, feature, segment)
        wanted = {
            "feature_segment": {"segment": segment},
            "enabled": True,
            "feature_state_value": typed_columns(value),
            "multivariate_feature_state_values": [],
        }
        if there and of % 2:
            if self.publish(number, feature, {"segment_ids_to_delete_overrides": [segment]}, ending):
                self.model.delete_override(number, feature, segment)
                self.model.publish_version(number, feature)
        elif there:
            if self.publish(number, feature, {"feature_states_to_update": [wanted]}, ending):
                self.model.change_state(number, there, enabled=True, value=value, shares={})
                self.model.publish_version(number, feature)
        else:
            wanted["feature_segment"] = {"segment": segment, "priority": priority}
            body = {"feature_states_to_create": [wanted]}
            refused = not self.model.may_override(feature, segment)
            if self.publish(number, feature, body, ending, refused=refused):
                self.model.add_override(number, feature, segment, state(True, value), priority)
                self.model.publish_version(number, feature)

    def publish(self, number: int, feature: int, body: Dict, ending: str, *, refused: bool = False) -> bool:
        """Make a version and publish it, at once or after nobody has seen it; say whether that was done."""
        path = f"environments/{number}/features/{feature}/versions/"
        body = {**body, "environmentId": number, "publish_immediately": ending == "at once"}
        made = self.ask("POST", path, body, 400 if refused else 201)
        if refused or ending == "at once":
            return not refused
        self.what_is_published_is_the_model()
        if ending == "as a draft":
            self.ask("POST", f"{path}{made['uuid']}/publish/", {})
            return True
        self.ask("DELETE", f"{path}{made['uuid']}/", {}, 204)
        return False

    # Segments

    @precondition(lambda self: len(self.model.segments) < 4)
    @action(rules=rules_of_segments)
    def create_segment(self, rules: list[Dict]) -> None:
        self.add_segment(rules, None)

    @precondition(lambda self: len(self.model.segments) < 4)
    @action(rules=rules_of_segments, pick=picks)
    def create_a_segment_of_one_feature(self, rules: list[Dict], pick: int) -> None:
        self.add_segment(rules, self.feature(pick))

    @precondition(lambda self: self.model.segments)
    @action(pick=picks, rules=rules_of_segments)
    def change_the_rules_of_a_segment(self, pick: int, rules: list[Dict]) -> None:
        """As dashboards do: with the old ones in it, marked to be deleted."""
        number = self.segment(pick)
        read = self.ask("GET", self.at_project(f"segments/{number}/"))
        gone = [{**each, "delete": True} for each in read["rules"]]
        self.ask("PUT", self.at_project(f"segments/{number}/"), {**read, "rules": [*gone, *rules]})
        self.model.change_segment(number, rules=in_documents(rules))

    @precondition(lambda self: self.model.segments)
    @action(pick=picks)
    def rename_a_segment(self, pick: int) -> None:
        number, name = self.segment(pick), self.name("renamed")
        self.ask("PATCH", self.at_project(f"segments/{number}/"), {"name": name})
        self.model.change_segment(number, name=name)

    @precondition(lambda self: self.model.segments)
    @action(pick=picks)
    def attempt_rules_that_no_segment_may_have(self, pick: int) -> None:
        rules = [{"type": "ALL", "conditions": [{"operator": "REGEX", "property": "a", "value": "("}]}]
        body = {"name": self.name("never"), "rules": rules}
        self.ask("PUT", self.at_project(f"segments/{self.segment(pick)}/"), body, 400)

    @precondition(lambda self: self.model.segments and len(self.model.segments) < 4)
    @action(pick=picks)
    def clone_a_segment(self, pick: int) -> None:
        number, name = self.segment(pick), self.name("copy")
        made = self.ask("POST", self.at_project(f"segments/{number}/clone/"), {"name": name}, 201)
        source = self.model.segments[number]
        self.model.add_segment(made["id"], name, source["rules"], source["feature"])

    @precondition(lambda self: self.model.segments)
    @action(pick=picks)
    def delete_a_segment(self, pick: int) -> None:
        number = self.segment(pick)
        self.ask("DELETE", self.at_project(f"segments/{number}/"), {}, 204)
        self.model.delete_segment(number)

    # Identities, and what they are served

    @precondition(lambda self: len(self.model.identities) < 3)
    @action(pick=picks)
    def create_an_identity(self, pick: int) -> None:
        number, identifier = self.environment(pick), self.name("identity")
        body = {"environment": "ignored", "identifier": identifier}
        made = self.ask("POST", f"{self.at(number)}identities/", body, 201)
        self.model.add_identity(made["id"], number, identifier)

    @precondition(lambda self: self.model.identities)
    @action(pick=picks)
    def rename_an_identity(self, pick: int) -> None:
        number, identifier = chosen(self.model.identities, pick), self.name("renamed")
        self.ask("PUT", self.at_identity(number), {"identifier": identifier})
        self.model.rename_identity(number, identifier)

    @precondition(lambda self: self.model.identities)
    @action(pick=picks)
    def delete_an_identity(self, pick: int) -> None:
        number = chosen(self.model.identities, pick)
        self.ask("DELETE", self.at_identity(number), {}, 204)
        self.model.delete_identity(number)

    @precondition(lambda self: self.model.identities)
    @action(pick=picks)
    def give_a_trait(self, pick: int) -> None:
        """Which no document has, and which no SDK needs to hear of."""
        number = chosen(self.model.identities, pick)
        key = self.name("trait")
        body = {"trait_key": key, "value_type": "unicode", "string_value": "FR", "identity": {"id": number}}
        self.ask("POST", f"{self.at_identity(number)}traits/", body, 201)
        self.ask("POST", f"{self.at_identity(number)}traits/", body, 400)

    @precondition(lambda self: self.model.identities)
    @action(pick=picks, which=picks, value=values, given=weights)
    def create_an_override_for_an_identity(
        self, pick: int, which: int, value: Value, given: list[float]
    ) -> None:
        number, feature = chosen(self.model.identities, pick), self.feature(which)
        shares = self.shares(feature, within_100_percent(given))
        body = {
            "feature": feature,
            "enabled": True,
            "feature_state_value": value,
            "multivariate_feature_state_values": allocations(shares),
        }
        there = feature in self.model.identities[number]["overrides"]
        self.ask("POST", f"{self.at_identity(number)}featurestates/", body, 400 if there else 201)
        if not there:
            self.model.add_identity_override(number, feature, state(True, value, shares))

    @precondition(lambda self: self.overrides_for_identities())
    @action(pick=picks, value=values, given=weights)
    def update_an_override_for_an_identity(self, pick: int, value: Value, given: list[float]) -> None:
        number, feature = chosen(self.overrides_for_identities(), pick)
        shares = self.shares(feature, within_100_percent(given))
        body = {
            "enabled": False,
            "feature_state_value": value,
            "multivariate_feature_state_values": allocations(shares),
        }
        self.ask("PUT", self.at_override(number, feature), body)
        identity = self.model.identities[number]
        override = identity["overrides"][feature]
        self.model.change_state(identity["environment"], override, enabled=False, value=value, shares=shares)

    @precondition(lambda self: self.overrides_for_identities())
    @action(pick=picks)
    def delete_an_override_for_an_identity(self, pick: int) -> None:
        number, feature = chosen(self.overrides_for_identities(), pick)
        self.ask("DELETE", self.at_override(number, feature), {}, 204)
        self.model.delete_identity_override(number, feature)

    # Asking

    def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        path = path if path.startswith("/") else f"/api/v1/{path}"
        text = "" if body is None else json.dumps(body)
        response = self.client.generic(method, path, text, content_type="application/json")
        assert response.status_code == status, (method, path, body, response.status_code, response.content)
        return response.json() if response.content else None

    def write(self, environment: int, method: str, path: str, body: Any, status: int = 200) -> Any:
        """Change a state where it is, which is refused where versions are kept; say whether it was done."""
        status = 400 if self.versioned(environment) else status
        answer = self.ask(method, path, body, status)
        return status != 400 and (answer or True)

    def versioned(self, environment: int) -> bool:
        return bool(self.model.environments[environment]["versioned"])

    def publish_if_versioned(self, environment: int, feature: int) -> None:
        """A single call makes a version; whether it does where nothing is new, is left to it."""
        if self.versioned(environment):
            if environment not in self.model.touched:
                self.model.perhaps_touched.add(environment)
            self.model.publish_version(environment, feature)

    def add_environment(self, made: Dict) -> None:
        self.model.add_environment(made["id"], made["name"], made["api_key"])
        self.open(made)

    def open(self, environment: Dict) -> None:
        """Get a key for servers, which may read the document."""
        key = self.ask("POST", f"environments/{environment['api_key']}/api-keys/", {"name": "server"}, 201)
        self.documents[environment["id"]] = APIClient(headers={"X-Environment-Key": key["key"]})

    def add_feature(self, initial_value: str | None, default_enabled: bool, options: list[Dict]) -> None:
        name = self.name("feature")
        body = {
            "name": name,
            "initial_value": initial_value,
            "default_enabled": default_enabled,
            "multivariate_options": [
                {**typed_columns(each["value"]), "default_percentage_allocation": each["share"]}
                for each in options
            ],
        }
        made = self.ask("POST", self.at_project("features/"), body, 201)
        for each, shown in zip(options, made["multivariate_options"], strict=True):
            each["id"] = shown["id"]
        self.model.add_feature(made["id"], name, initial_value, default_enabled, options)

    def add_segment(self, rules: list[Dict], feature: int | None) -> None:
        name = self.name("segment")
        body = {"name": name, "rules": rules, "feature": feature, "project": 0, "metadata": []}
        made = self.ask("POST", self.at_project("segments/"), body, 201)
        self.model.add_segment(made["id"], name, in_documents(rules), feature)

    def at(self, environment: int) -> str:
        return f"environments/{self.model.environments[environment]['api_key']}/"

    def at_project(self, path: str) -> str:
        return f"projects/{self.model.project['number']}/{path}"

    def at_feature(self, feature: int, path: str = "") -> str:
        return self.at_project(f"features/{feature}/{path}")

    def at_identity(self, number: int) -> str:
        return f"{self.at(self.model.identities[number]['environment'])}identities/{number}/"

    def at_override(self, identity: int, feature: int) -> str:
        path = f"{self.at_identity(identity)}featurestates/"
        (override,) = self.ask("GET", f"{path}?feature={feature}")["results"]
        return f"{path}{override['id']}/"

    def single_call(self, environment: int, path: str) -> str:
        return f"/api/experiments/{self.at(environment)}{path}"

    def default(self, environment: int, feature: int) -> Dict:
        (found,) = self.ask("GET", f"{self.at(environment)}featurestates/?feature={feature}")["results"]
        return found

    def places(self, environment: int, feature: int) -> dict[int, int]:
        """Return the ids of feature segments by their segments, in their order."""
        path = f"features/feature-segments/?environment={environment}&feature={feature}"
        return {each["segment"]: each["id"] for each in self.ask("GET", path)["results"]}

    # Choosing

    def environment(self, pick: int) -> int:
        return chosen(self.model.environments, pick)

    def feature(self, pick: int) -> int:
        return chosen(self.model.features, pick)

    def segment(self, pick: int) -> int:
        return chosen(self.model.segments, pick)

    def states(self, environment: int) -> dict[int, Dict]:
        return self.model.environments[environment]["states"]

    def options(self, feature: int) -> list[Dict]:
        return list(self.model.features[feature]["options"].values())

    def varied(self) -> list[int]:
        return [number for number, feature in self.model.features.items() if feature["options"]]

    def shares(self, feature: int, given: list[float]) -> dict[int, float]:
        return dict(zip(self.model.features[feature]["options"], given, strict=False))

    def overrides(self) -> list[tuple[int, int, int]]:
        return [
            (number, feature, segment)
            for number, environment in self.model.environments.items()
            for feature, overrides in environment["overrides"].items()
            for segment in overrides
        ]

    def overrides_for_identities(self) -> list[tuple[int, int]]:
        return [
            (number, feature)
            for number, identity in self.model.identities.items()
            for feature in identity["overrides"]
        ]

    def name(self, kind: str) -> str:
        return f"{kind}_{next(self._names)}"


def chosen(some: Any, pick: int) -> Any:
    listed = list(some)
    return listed[pick % len(listed)]


def option(number: int | None, value: Value, share: float) -> Dict:
    return {"id": number, "value": value, "share": share}


def typed_columns(value: Value) -> Dict:
    """Return a value in the form that names its type."""
    if isinstance(value, bool):
        return {"type": "bool", "boolean_value": value}
    if isinstance(value, int):
        return {"type": "int", "integer_value": value}
    return {"type": "unicode", "string_value": value}


def allocations(shares: Mapping[int, float]) -> list[Dict]:
    return [
        {"multivariate_feature_option": number, "percentage_allocation": share}
        for number, share in shares.items()
    ]


def within_100_percent(given: list[float]) -> list[float]:
    left = 100.0
    shares = []
    for each in given:
        shares.append(min(each, left))
        left -= shares[-1]
    return shares


def in_documents(rules: list[Dict]) -> list[Dict]:
    """Return rules as environment documents have them."""
    return [
        {
            "type": each["type"],
            "conditions": [
                {
                    "operator": condition["operator"],
                    "property_": condition["property"],
                    "value": condition["value"] or "",
                }
                for condition in each["conditions"]
            ],
            "rules": in_documents(each.get("rules", [])),
        }
        for each in rules
    ]
