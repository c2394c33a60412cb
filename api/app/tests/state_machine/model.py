"""What a project should hold after any series of changes, in plain dicts.

Written from what Flagsmith's API promises, and not from the product's code: it imports none of it.

Methods that change something say with `touch` which environments' SDKs have to hear of it. Numbers are the
ids that the product gives.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

Dict = dict[str, Any]
Value = str | int | bool | None

# What may be set of an environment, and SDKs see.
SETTINGS: Dict = {
    "allow_client_traits": True,
    "hide_disabled_flags": None,
    "hide_sensitive_data": False,
    "use_identity_composite_key_for_hashing": True,
    "use_identity_overrides_in_local_eval": True,
}
PUBLISHED_OF_PROJECTS = ["name", "hide_disabled_flags", "enable_realtime_updates"]
PUBLISHED_OF_FEATURES = {"description", "is_archived", "is_server_key_only"}


def state(enabled: bool, value: Value, shares: Mapping[int, float] | None = None) -> Dict:
    """Return a feature state. `shares` are percentages by option, in the order of the bands.

    `uuid` and `seed`, which hashing starts from, are learned from what is published, and stay from then on.
    """
    return {"enabled": enabled, "value": value, "shares": dict(shares or {}), "uuid": None, "seed": None}


def typed(initial_value: str | None) -> Value:
    if initial_value in {"true", "True", "false", "False"}:
        return initial_value in {"true", "True"}
    if initial_value and initial_value.removeprefix("-").isdigit() and abs(int(initial_value)) < 2**31 - 1:
        return int(initial_value)
    return initial_value


class Model:
    def __init__(self, name: str) -> None:
        self.project: Dict = {
            "name": name,
            "hide_disabled_flags": False,
            "enable_realtime_updates": True,
            "prevent_flag_defaults": False,
        }
        self.environments: dict[int, Dict] = {}
        self.features: dict[int, Dict] = {}
        self.segments: dict[int, Dict] = {}
        self.identities: dict[int, Dict] = {}
        self.touched: set[int] = set()
        # Of what the contract doesn't say whether SDKs hear of it.
        self.perhaps_touched: set[int] = set()

    # Environments

    def add_environment(self, number: int, name: str, key: str) -> None:
        states = {
            feature: self._first_state(properties, self._options(feature))
            for feature, properties in self.features.items()
        }
        self.environments[number] = {
            "name": name, "api_key": key, **SETTINGS, "states": states, "overrides": {},
            "versioned": False,
        }  # fmt: skip
        self.touch(number)

    def clone_environment(self, source: int, number: int, name: str, key: str) -> None:
        """Copy everything but identities and their overrides. Nobody is moved to another variant."""
        copy = deepcopy(self.environments[source])
        for each in self._states_in(copy):
            each["uuid"] = None
        self.environments[number] = {**copy, "name": name, "api_key": key}
        self.touch(number)

    def change_environment(self, number: int, **changes: Any) -> None:
        environment = self.environments[number]
        seen = {name: new for name, new in changes.items() if name in {"name", "api_key", *SETTINGS}}
        if any(environment[name] != new for name, new in seen.items()):
            environment.update(seen)
            self.touch(number)

    def delete_environment(self, number: int) -> None:
        del self.environments[number]
        self.identities = {
            each: identity for each, identity in self.identities.items() if identity["environment"] != number
        }

    def keep_versions(self, number: int, versioned: bool) -> None:
        """What is served stays, and so does who gets which variant."""
        environment = self.environments[number]
        environment["versioned"] = versioned
        for each in self._states_in(environment):
            each["uuid"] = None
        self.perhaps_touched.add(number)

    def publish_version(self, number: int, feature: int) -> None:
        """Let what is set now be a version of its own: other states, from the seeds of those before."""
        environment = self.environments[number]
        for each in [environment["states"][feature], *self._overrides(number, feature).values()]:
            each["uuid"] = None
        self.touch(number)

    def change_project(self, **changes: Any) -> None:
        if any(name in changes and self.project[name] != changes[name] for name in PUBLISHED_OF_PROJECTS):
            self.touch()
        self.project.update(changes)

    # Features and their options

    def add_feature(
        self, number: int, name: str, initial_value: str | None, default_enabled: bool, options: list[Dict]
    ) -> None:
        self.features[number] = {
            "name": name,
            "initial_value": initial_value,
            "default_enabled": default_enabled,
            "description": None,
            "is_archived": False,
            "is_server_key_only": False,
            "options": {option["id"]: option for option in options},
        }
        for environment in self.environments.values():
            environment["states"][number] = self._first_state(self.features[number], self._options(number))
        self.touch()

    def change_feature(self, number: int, **changes: Any) -> None:
        feature = self.features[number]
        if any(feature[name] != new for name, new in changes.items() if name in PUBLISHED_OF_FEATURES):
            self.touch()
        feature.update(changes)

    def delete_feature(self, number: int) -> None:
        """All that hangs on it goes with it, also the segments that are for it alone."""
        del self.features[number]
        for environment in self.environments.values():
            environment["states"].pop(number)
            environment["overrides"].pop(number, None)
        for identity in self.identities.values():
            identity["overrides"].pop(number, None)
        self.segments = {
            each: segment for each, segment in self.segments.items() if segment["feature"] != number
        }
        self.touch()

    def takes_options(self, number: int, options: Iterable[Dict]) -> bool:
        """Whether the options that a feature would have leave no more than 100 percent anywhere.

        New ones, without `id`, would be added to each environment's default.
        """
        options = list(options)
        new = sum(option["share"] for option in options if option["id"] is None)
        kept = {option["id"] for option in options} - {None}
        in_use = [
            sum(share for option, share in environment["states"][number]["shares"].items() if option in kept)
            for environment in self.environments.values()
        ]
        return sum(option["share"] for option in options) <= 100 and max([*in_use, 0]) + new <= 100

    def set_options(self, number: int, options: list[Dict]) -> None:
        """Make these the options of a feature: `{"id", "value", "share"}`. All of them have ids now."""
        old, new = self.features[number]["options"], {option["id"]: option for option in options}
        seen = [{each: option["value"] for each, option in them.items()} for them in (old, new)]
        if same_values(*seen) is False:
            self.touch()
        for each in [*self._states_of(number)]:
            each["shares"] = {option: share for option, share in each["shares"].items() if option in new}
        for environment in self.environments.values():
            shares = environment["states"][number]["shares"]
            shares.update({each: option["share"] for each, option in new.items() if each not in old})
        self.features[number]["options"] = new

    # What features serve

    def change_state(self, environment: int, holder: Dict, **changes: Any) -> None:
        """Change `enabled`, `value` or `shares` of a state. An option that had a share keeps its place."""
        before = deepcopy(holder)
        if "shares" in changes:
            shares = changes.pop("shares")
            kept = {each: shares[each] for each in holder["shares"] if each in shares}
            holder["shares"] = {**kept, **shares}
        holder.update(changes)
        if not same_state(before, holder):
            self.touch(environment)

    def override(self, environment: int, feature: int, segment: int) -> Dict | None:
        return self._overrides(environment, feature).get(segment)

    def may_override(self, feature: int, segment: int) -> bool:
        return self.segments[segment]["feature"] in {None, feature}

    def add_override(
        self, environment: int, feature: int, segment: int, new: Dict, priority: int | None = None
    ) -> None:
        overrides = self._overrides(environment, feature)
        taken = [each["priority"] for each in overrides.values()]
        place = max(taken, default=-1) + 1 if priority is None else priority
        self._push(overrides.values(), place)
        overrides[segment] = {**new, "priority": place}
        self.touch(environment)

    def move_override(self, environment: int, feature: int, segment: int, priority: int) -> None:
        """Take it out of the order, where the rest closes up, and put it in at its new place."""
        overrides = self._overrides(environment, feature)
        moved, others = overrides[segment], [other for each, other in overrides.items() if each != segment]
        if moved["priority"] != priority:
            for each in others:
                each["priority"] -= each["priority"] > moved["priority"]
            self._push(others, priority)
            moved["priority"] = priority
            self.touch(environment)

    def reorder_overrides(self, environment: int, feature: int, order: list[int]) -> None:
        overrides = self._overrides(environment, feature)
        for priority, segment in enumerate(order):
            if overrides[segment]["priority"] != priority:
                overrides[segment]["priority"] = priority
                self.touch(environment)

    def delete_override(self, environment: int, feature: int, segment: int) -> None:
        overrides = self._overrides(environment, feature)
        gone = overrides.pop(segment)["priority"]
        for each in overrides.values():
            each["priority"] -= each["priority"] > gone
        self.touch(environment)

    # Segments

    def add_segment(self, number: int, name: str, rules: list[Dict], feature: int | None = None) -> None:
        self.segments[number] = {"name": name, "rules": rules, "feature": feature}
        self.touch()

    def change_segment(self, number: int, **changes: Any) -> None:
        if any(self.segments[number][name] != new for name, new in changes.items()):
            self.segments[number].update(changes)
            self.touch()

    def delete_segment(self, number: int) -> None:
        """Delete it with all its overrides."""
        del self.segments[number]
        for environment in self.environments.values():
            for overrides in environment["overrides"].values():
                overrides.pop(number, None)
        self.touch()

    # Identities

    def add_identity(self, number: int, environment: int, identifier: str) -> None:
        self.identities[number] = {
            "environment": environment, "identifier": identifier, "traits": set(), "overrides": {},
        }  # fmt: skip

    def rename_identity(self, number: int, identifier: str) -> None:
        self.identities[number]["identifier"] = identifier
        self.touch(self.identities[number]["environment"])

    def delete_identity(self, number: int) -> None:
        identity = self.identities.pop(number)
        if identity["overrides"]:
            self.touch(identity["environment"])

    def add_identity_override(self, number: int, feature: int, new: Dict) -> None:
        identity = self.identities[number]
        identity["overrides"][feature] = new
        self.touch(identity["environment"])

    def delete_identity_override(self, number: int, feature: int) -> None:
        identity = self.identities[number]
        del identity["overrides"][feature]
        self.touch(identity["environment"])

    # What is published

    def touch(self, environment: int | None = None) -> None:
        self.touched |= self.environments.keys() if environment is None else {environment}

    def published(self, number: int) -> Dict:
        """Return what an environment's document should say, in the form of `described`."""
        environment = self.environments[number]
        return {
            **{name: environment[name] for name in ("name", "api_key", *SETTINGS)},
            "project": {
                name: self.project[name]
                for name in ("name", "hide_disabled_flags", "enable_realtime_updates")
            },
            "server_key_only": sorted(
                each for each, feature in self.features.items() if feature["is_server_key_only"]
            ),
            "features": [
                self._published_state(feature, environment["states"][feature])
                for feature in sorted(environment["states"])
            ],
            "segments": [
                {
                    "id": each,
                    "name": segment["name"],
                    "rules": segment["rules"],
                    "overrides": by_feature(
                        self._published_state(feature, overrides[each])
                        for feature, overrides in environment["overrides"].items()
                        if each in overrides
                    ),
                }
                for each, segment in sorted(self.segments.items())
                if segment["feature"] is None or each in environment["overrides"].get(segment["feature"], {})
            ],
            "identities": {
                identity["identifier"]: by_feature(
                    self._published_state(feature, override, pins=True)
                    for feature, override in identity["overrides"].items()
                )
                for identity in self.identities.values()
                if identity["environment"] == number
                and identity["overrides"]
                and environment["use_identity_overrides_in_local_eval"]
            },
        }

    def learn(self, number: int, document: Dict) -> None:
        """Take from a published document what only the product knows: uuids and seeds of new states."""
        found = {
            (kind, of, shown["feature"]): shown
            for kind, of, shown in [
                *(("default", None, shown) for shown in document["features"]),
                *(
                    ("segment", segment["id"], shown)
                    for segment in document["segments"]
                    for shown in segment["overrides"]
                ),
                *(
                    ("identity", identifier, shown)
                    for identifier, overrides in document["identities"].items()
                    for shown in overrides
                ),
            ]
        }
        for place, each in self._places(number):
            if place in found:
                each["uuid"] = each["uuid"] or found[place]["uuid"]
                each["seed"] = each["seed"] or found[place]["seed"]

    def _places(self, number: int) -> Iterable[tuple[tuple[str, Any, int], Dict]]:
        environment = self.environments[number]
        for feature, each in environment["states"].items():
            yield ("default", None, feature), each
        for feature, overrides in environment["overrides"].items():
            for segment, each in overrides.items():
                yield ("segment", segment, feature), each
        for identity in self.identities.values():
            if identity["environment"] == number:
                for feature, each in identity["overrides"].items():
                    yield ("identity", identity["identifier"], feature), each

    def _published_state(self, number: int, holder: Dict, *, pins: bool = False) -> Dict:
        feature = self.features[number]
        options = feature["options"]
        whole = [each for each, share in holder["shares"].items() if share == 100] if pins else []
        return {
            "feature": number,
            "name": feature["name"],
            "type": "MULTIVARIATE" if options else "STANDARD",
            "enabled": holder["enabled"],
            # SDKs read an identity's variant from here, if it is given to everyone of this one identity.
            "value": options[whole[0]]["value"] if whole else holder["value"],
            "priority": holder.get("priority"),
            "variants": [
                {"option": each, "value": options[each]["value"], "share": share}
                for each, share in holder["shares"].items()
            ],
            "uuid": holder["uuid"],
            "seed": holder["seed"],
        }

    def _first_state(self, feature: Dict, options: Mapping[int, Dict]) -> Dict:
        shares = {each: option["share"] for each, option in sorted(options.items())}
        if self.project["prevent_flag_defaults"]:
            return state(False, None, shares)
        return state(feature["default_enabled"], typed(feature["initial_value"]), shares)

    def _options(self, feature: int) -> dict[int, Dict]:
        return self.features[feature]["options"]

    def _overrides(self, environment: int, feature: int) -> dict[int, Dict]:
        return self.environments[environment]["overrides"].setdefault(feature, {})

    def _states_of(self, feature: int) -> Iterable[Dict]:
        for number in self.environments:
            yield from (each for place, each in self._places(number) if place[2] == feature)

    @staticmethod
    def _states_in(environment: Dict) -> Iterable[Dict]:
        yield from environment["states"].values()
        for overrides in environment["overrides"].values():
            yield from overrides.values()

    @staticmethod
    def _push(overrides: Iterable[Dict], priority: int) -> None:
        """Move down what stands at a priority and after it, if something stands there."""
        overrides = list(overrides)
        if any(each["priority"] == priority for each in overrides):
            for each in overrides:
                each["priority"] += each["priority"] >= priority


def described(document: Dict) -> Dict:
    """Return what a published document says, as `Model.published` does, with uuids and seeds."""
    project = document["project"]
    return {
        **{name: document[name] for name in ("name", "api_key", *SETTINGS)},
        "project": {
            name: project[name] for name in ("name", "hide_disabled_flags", "enable_realtime_updates")
        },
        "server_key_only": sorted(project["server_key_only_feature_ids"]),
        "features": [_described_state(each) for each in document["feature_states"]],
        "segments": [
            {
                "id": segment["id"],
                "name": segment["name"],
                "rules": segment["rules"],
                "overrides": by_feature(_described_state(each) for each in segment["feature_states"]),
            }
            for segment in project["segments"]
        ],
        "identities": {
            identity["identifier"]: by_feature(
                _described_state(each) for each in identity["identity_features"]
            )
            for identity in document["identity_overrides"]
        },
    }


def by_feature(states: Iterable[Dict]) -> list[Dict]:
    return sorted(states, key=lambda each: each["feature"])


def _described_state(each: Dict) -> Dict:
    return {
        "feature": each["feature"]["id"],
        "name": each["feature"]["name"],
        "type": each["feature"]["type"],
        "enabled": each["enabled"],
        "value": each["feature_state_value"],
        "priority": each["feature_segment"]["priority"] if each["feature_segment"] else None,
        "variants": [
            {
                "option": variant["multivariate_feature_option"]["id"],
                "value": variant["multivariate_feature_option"]["value"],
                "share": variant["percentage_allocation"],
            }
            for variant in each["multivariate_feature_state_values"]
        ],
        "uuid": each["featurestate_uuid"],
        "seed": each["django_id"],
    }


def same_values(one: Mapping[int, Value], other: Mapping[int, Value]) -> bool:
    """Whether values are equal and of the same types: `1` isn't `true`."""
    return {key: (type(each), each) for key, each in one.items()} == {
        key: (type(each), each) for key, each in other.items()
    }


def same_state(one: Dict, other: Dict) -> bool:
    return (
        same_values({0: one["value"]}, {0: other["value"]})
        and one["enabled"] == other["enabled"]
        and one["shares"] == other["shares"]
    )
