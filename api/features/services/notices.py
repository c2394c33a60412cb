"""What webhooks are told of flags: what each served before, what it serves now, and who has changed it.

What is compared is what is in the database before and after all that is done inside `telling_of`: however
many writes that takes, and whether they change a state in its place or put another version of it there, there
is one notice for each state that is different in the end.

Nothing is read where no webhook listens.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from rest_framework.serializers import DateTimeField

from audit.services import Author
from environments.models import EnvironmentWebhook
from features.models import EnvironmentFeatureVersion, Feature, FeatureState
from features.models.state import FOR_EVERYONE
from features.services.places import Place, Target, rows_in, target_of
from organisations.models import OrganisationWebhook
from permissions.actors import Machine
from webhooks.models import EventType
from webhooks.recipients import Recipient
from webhooks.services import Notice, Origin, listeners_in, tell

_date = DateTimeField()


@contextmanager
def telling_of(
    places: Iterable[Place], *, by: "Author | EnvironmentFeatureVersion", identity_ids: Iterable[int] = ()
) -> Iterator[None]:
    """Tell webhooks what is served differently in these places after what is done inside.

    Inside another one it adds to that one, which tells it all at its end. Nothing is told if it fails.

    Args:
        by: who changes it. A version: whoever has published that.
        identity_ids: whose overrides are looked at. Others can't be changed inside.
    """
    outer = _watching.get()
    if outer is not None:
        outer.look_at(places, identity_ids)
        yield
        return
    watch = _Watch(by)
    watch.look_at(places, identity_ids)
    token = _watching.set(watch)
    try:
        yield
    finally:
        _watching.reset(token)
    watch.tell()


def is_listened_to() -> Q:
    """Return what says of an environment whether a webhook is told of what happens in it."""
    of_environment = EnvironmentWebhook.objects.filter(environment=OuterRef("pk"), enabled=True)
    of_organisation = OrganisationWebhook.objects.filter(
        organisation=OuterRef("project__organisation"), enabled=True
    )
    return Exists(of_environment) | Exists(of_organisation)


def tell_of_version(version: EnvironmentFeatureVersion) -> None:
    """Tell environments' webhooks that a version is served: inside `telling_of`, after its states."""
    watch = _watching.get()
    if watch is not None:
        watch.versions.append(version)


def tell_of_new_features(
    features: Collection[Feature], environment_ids: Iterable[int], *, by: Author
) -> None:
    """Tell webhooks what features serve that the transaction at hand has made."""
    places = {Place(environment_id, each.pk) for environment_id in environment_ids for each in features}
    listeners = listeners_in({place.environment_id for place in places})
    if not listeners:
        return
    states = _served([place for place in places if place.environment_id in listeners])
    name = name_of(by)
    notices = [_updated(state, None, name) for state in states.values()]
    versions = EnvironmentFeatureVersion.objects.filter(
        is_live=True, feature__in=features, environment__in=listeners
    )
    notices += [_published(version, served) for version, served in _with_states(list(versions))]
    tell([(each, listeners[each.origin.environment_id or 0]) for each in notices])


def tell_of_deleted_features(features: Collection[Feature], *, by: Author) -> None:
    """Tell webhooks what features have served to everyone in each environment, before they are deleted."""
    defaults = FeatureState.objects.filter(FOR_EVERYONE, feature__in=features)
    environments = set(defaults.order_by().values_list("environment", flat=True))
    listeners = listeners_in(environments)
    name = name_of(by)
    gone = _with_relations().filter(FOR_EVERYONE, feature__in=features, environment__in=listeners)
    tell(
        [
            (_notice(EventType.FLAG_DELETED, each, name, _said(each), None), listeners[each.environment_id])
            for each in gone
        ]
    )


def name_of(author: "Author | EnvironmentFeatureVersion") -> str:
    """Return what webhooks call somebody: a user's e-mail address, a master key's name, or nothing.

    A version stands for whoever has published it.
    """
    if isinstance(author, EnvironmentFeatureVersion):
        by_key = author.published_by is None
        return author.published_by_key_name if by_key else name_of(author.published_by)
    if isinstance(author, Machine):
        return author.name
    return author.email if author else ""


@dataclass(frozen=True)
class _State:
    """A state as it is told, and what makes it different from another one."""

    state: FeatureState
    said: dict[str, Any]

    @property
    def served(self) -> tuple[Any, ...]:
        # Copies in another version have other ids, and serve the same. `1` equals `true`, and isn't the same.
        value = self.said["feature_state_value"]
        shares = [
            (each["multivariate_feature_option"]["id"], each["percentage_allocation"])
            for each in self.said["multivariate_feature_state_values"]
        ]
        return self.said["enabled"], type(value), value, sorted(shares)


class _Watch:
    """What is served where somebody listens: before, and once it is over."""

    def __init__(self, author: "Author | EnvironmentFeatureVersion") -> None:
        self._author = author
        self._listeners: dict[int, list[Recipient]] = {}
        self._places: set[Place] = set()
        self._identities: set[int] = set()
        self._before: dict[Target, _State] = {}
        self.versions: list[EnvironmentFeatureVersion] = []

    def look_at(self, places: Iterable[Place], identity_ids: Iterable[int]) -> None:
        """Note what is served now, of what isn't looked at yet."""
        identities = set(identity_ids)
        new = set(places) - self._places if identities <= self._identities else set(places)
        self._listeners |= listeners_in({place.environment_id for place in new})
        self._places |= new
        self._identities |= identities
        now = self._now({place for place in new if place.environment_id in self._listeners})
        # What was noted first, was there before.
        self._before = now | self._before

    def tell(self) -> None:
        """Tell listeners what is different now, then which versions have brought that."""
        listened = {place for place in self._places if place.environment_id in self._listeners}
        if not listened:
            return
        name = name_of(self._author)
        notices = []
        for target, now in self._now(listened).items():
            before = self._before.get(target)
            if before is None or before.served != now.served:
                notices.append(_updated(now.state, before.said if before else None, name))
        versions = [each for each in self.versions if each.environment_id in self._listeners]
        notices += [_published(version, states) for version, states in _with_states(versions)]
        tell([(each, self._listeners[each.origin.environment_id or 0]) for each in notices])

    def _now(self, places: Collection[Place]) -> dict[Target, _State]:
        states = _served(places, self._identities)
        return {target: _State(state, _said(state)) for target, state in states.items()}


_watching: ContextVar[_Watch | None] = ContextVar("what webhooks will be told", default=None)


def _served(places: Collection[Place], identity_ids: Collection[int] = ()) -> dict[Target, FeatureState]:
    """Return what is served in places: to everyone, to segments, and to some identities."""
    if not places:
        return {}
    whose = (
        Q(identity__isnull=True) | Q(identity__in=identity_ids) if identity_ids else Q(identity__isnull=True)
    )
    states = _with_relations().filter(rows_in(places), whose)
    return {target_of(state): state for state in states}


def _with_relations() -> Any:
    is_bound = Q(feature_segment__isnull=True) | Q(
        feature_segment__deleted_at__isnull=True, feature_segment__is_live=True
    )
    return (
        FeatureState.objects.filter(is_bound)
        .select_related("feature__project", "environment", "identity", "feature_segment__segment")
        .prefetch_related("multivariate_feature_state_values__multivariate_feature_option")
        .order_by("environment", "feature", F("feature_segment__priority").asc(nulls_first=True), "pk")
    )


def _updated(state: FeatureState, before: dict[str, Any] | None, changed_by: str) -> Notice:
    return _notice(EventType.FLAG_UPDATED, state, changed_by, before, _said(state))


def _notice(
    event_type: EventType,
    state: FeatureState,
    changed_by: str,
    before: dict[str, Any] | None,
    now: dict[str, Any] | None,
) -> Notice:
    data = {"changed_by": changed_by, "timestamp": _text_of(timezone.now()), "new_state": now}
    if before is not None:
        data["previous_state"] = before
    return Notice(event_type, _origin_of(state), _subject(state.feature_id), data)


def _published(version: EnvironmentFeatureVersion, states: Sequence[FeatureState]) -> Notice:
    publisher = version.published_by
    data = {
        "uuid": str(version.uuid),
        "feature": {"id": version.feature_id, "name": version.feature.name},
        "published_by": {"id": publisher.pk, "email": publisher.email} if publisher else None,
        "feature_states": [
            {"enabled": each.enabled, "value": each.value, "multivariate_feature_state_values": _shares(each)}
            for each in states
        ],
    }
    return Notice(EventType.NEW_VERSION_PUBLISHED, _origin_of(version), _subject(version.feature_id), data)


def _with_states(
    versions: Collection[EnvironmentFeatureVersion],
) -> Iterator[tuple[EnvironmentFeatureVersion, list[FeatureState]]]:
    """Yield versions, read anew with what is told of them, and their states."""
    found = EnvironmentFeatureVersion.objects.select_related(
        "feature__project", "environment", "published_by"
    ).in_bulk([each.pk for each in versions])
    states: dict[Any, list[FeatureState]] = {key: [] for key in found}
    for state in _with_relations().filter(environment_feature_version__in=list(found)) if found else []:
        states[state.environment_feature_version_id].append(state)
    for version in versions:
        if version.pk in found:
            yield found[version.pk], states[version.pk]


def _origin_of(row: FeatureState | EnvironmentFeatureVersion) -> Origin:
    project = row.feature.project
    return Origin(project.organisation_id, project.pk, row.environment_id)


def _subject(feature_id: int) -> str:
    return f"feature {feature_id}"


def _said(state: FeatureState) -> dict[str, Any]:
    """Return a state as webhooks are told of it."""
    feature, binding = state.feature, state.feature_segment
    return {
        "feature": {
            "id": feature.pk,
            "created_date": _text_of(feature.created_date),
            "default_enabled": feature.default_enabled,
            "description": feature.description,
            "initial_value": feature.initial_value,
            "name": feature.name,
            "project": {"id": feature.project.pk, "name": feature.project.name},
            "type": feature.type,
        },
        "environment": {"id": state.environment.pk, "name": state.environment.name},
        "identity": state.identity_id,
        "identity_identifier": state.identity.identifier if state.identity else None,
        "feature_segment": {
            "segment": {
                "id": binding.segment.pk,
                "name": binding.segment.name,
                "description": binding.segment.description,
            },
            "priority": binding.priority,
        }
        if binding
        else None,
        "enabled": state.enabled,
        "feature_state_value": state.value,
        "multivariate_feature_state_values": _shares(state),
    }


def _shares(state: FeatureState) -> list[dict[str, Any]]:
    return [
        {
            "id": each.pk,
            "multivariate_feature_option": {
                "id": each.multivariate_feature_option.pk,
                "value": each.multivariate_feature_option.value,
            },
            "percentage_allocation": each.percentage_allocation,
        }
        for each in state.multivariate_feature_state_values.all()
    ]


def _text_of(moment: datetime) -> str:
    text: str = _date.to_representation(moment)
    return text
