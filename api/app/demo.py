"""What a first run starts with: an administrator, and a project with something of every kind."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from environments.models import Environment
from features.models import Feature, FeatureSegment, FeatureState, MultivariateOption
from features.models.values import FlagValue
from identities.models import Identity, TraitKey
from organisations.models import Organisation, Role
from projects.models import Project, Tag
from segments.models import Condition, Operator, RuleType, Segment, SegmentRule
from users.models import User

EMAIL = "admin@example.com"

_IDENTITIES: Mapping[str, Mapping[str, str | int | bool]] = {
    "kim": {"plan": "pro", "country": "NL", "age": 34},
    "noor": {"plan": "free", "country": "FR", "age": 27},
    "sam": {"plan": "enterprise", "country": "US", "newsletter": True},
}


@dataclass(frozen=True)
class Administrator:
    email: str
    password: str


@transaction.atomic
def create_demo() -> Administrator:
    """Fill an empty database and return the administrator, with a password that is kept nowhere else."""
    password = secrets.token_urlsafe(12)
    user = User.objects.create_superuser(EMAIL, password, first_name="Demo", last_name="Administrator")
    organisation = Organisation.objects.create(name="Example")
    organisation.memberships.create(user=user, role=Role.ADMIN)
    project = Project.objects.create(organisation=organisation, name="Web shop")
    development, production = (
        Environment.objects.create(project=project, name=name) for name in ("Development", "Production")
    )
    for environment in (development, production):
        environment.server_side_keys.create(name="Demo")

    features = _create_features(project, owner=user)
    beta_testers, quarter = _create_segments(project)
    _serve(features["new_checkout"], development, enabled=True)
    _serve(features["new_checkout"], production, segment=beta_testers, enabled=True)
    _serve(features["new_search"], production, segment=quarter, enabled=True)
    for environment in (development, production):
        kim, *_ = _create_identities(environment)
        _serve(features["items_per_page"], environment, identity=kim, enabled=True, value=50)
    return Administrator(EMAIL, password)


def _create_features(project: Project, owner: User) -> dict[str, Feature]:
    theme = json.dumps({"primary": "#1a5fb4", "rounded": True})
    features = [
        Feature(name="banner_text", initial_value="Free delivery this week", default_enabled=True),
        Feature(name="new_checkout", description="The checkout on one page."),
        Feature(name="maintenance_mode", description="Shows a notice in place of the shop."),
        Feature(name="items_per_page", initial_value="20", default_enabled=True),
        Feature(name="theme", initial_value=theme, default_enabled=True, description="JSON."),
        Feature(name="button_colour", initial_value="blue", default_enabled=True),
        Feature(name="new_search", description="Rolled out to a quarter of all customers."),
        Feature(name="fraud_limit", initial_value="500", default_enabled=True, is_server_key_only=True),
        Feature(name="old_export", is_archived=True, description="Archived: to be removed from the code."),
    ]
    for feature in features:
        feature.project = project
        feature.save()
        feature.owners.add(owner)
    named = {feature.name: feature for feature in features}

    for key, share in (("green", 30), ("orange", 20)):  # the other half keeps blue
        option = MultivariateOption(
            feature=named["button_colour"], key=key, default_percentage_allocation=share
        )
        option.value = key
        option.save()
    for label, name in (
        ("checkout", "new_checkout"),
        ("checkout", "button_colour"),
        ("to remove", "old_export"),
    ):
        tag, _ = Tag.objects.get_or_create(project=project, label=label)
        named[name].tags.add(tag)
    return named


def _create_segments(project: Project) -> tuple[Segment, Segment]:
    """Return a segment of nested rules and one that holds a quarter of all identities."""
    beta_testers = Segment.objects.create(
        project=project, name="beta_testers", description="Paying customers outside of the US."
    )
    everything = SegmentRule.objects.create(segment=beta_testers, type=RuleType.ALL)
    paying = SegmentRule.objects.create(segment=beta_testers, parent=everything, type=RuleType.ANY)
    abroad = SegmentRule.objects.create(segment=beta_testers, parent=everything, type=RuleType.NONE)
    for rule, property_, value in (
        (paying, "plan", "pro"),
        (paying, "plan", "enterprise"),
        (abroad, "country", "US"),
    ):
        Condition.objects.create(rule=rule, operator=Operator.EQUAL, property=property_, value=value)

    quarter = Segment.objects.create(project=project, name="quarter_of_customers")
    everyone = SegmentRule.objects.create(segment=quarter, type=RuleType.ALL)
    split = SegmentRule.objects.create(segment=quarter, parent=everyone, type=RuleType.ANY)
    Condition.objects.create(rule=split, operator=Operator.PERCENTAGE_SPLIT, value="25")
    return beta_testers, quarter


def _create_identities(environment: Environment) -> list[Identity]:
    keys = {key for traits in _IDENTITIES.values() for key in traits}
    TraitKey.objects.bulk_create(TraitKey(environment=environment, key=key) for key in sorted(keys))
    return [
        Identity.objects.create(environment=environment, identifier=identifier, traits=traits)
        for identifier, traits in _IDENTITIES.items()
    ]


def _serve(
    feature: Feature,
    environment: Environment,
    *,
    enabled: bool,
    value: FlagValue = None,
    segment: Segment | None = None,
    identity: Identity | None = None,
) -> None:
    """Set what `feature` serves in `environment`: to all, or to a segment or an identity."""
    if segment is None and identity is None:
        feature.feature_states.filter(environment=environment, feature_segment=None, identity=None).update(
            enabled=enabled
        )
        return
    feature_segment = None
    if segment:
        feature_segment = FeatureSegment.objects.create(
            feature=feature, segment=segment, environment=environment
        )
    state = FeatureState(
        feature=feature,
        environment=environment,
        feature_segment=feature_segment,
        identity=identity,
        enabled=enabled,
    )
    state.value = value
    state.save()
