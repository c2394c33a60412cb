"""What a first run starts with: an administrator, and a project with something of every kind."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.initialisation.services import create_first_superuser
from environments.models import Environment
from environments.services import create_environment, create_server_side_key
from features.models import Feature
from features.services.change_sets import Change, apply_change_set
from features.services.features import create_feature
from identities.batches import TraitChanges
from identities.services import store_traits
from organisations.services import create_organisation
from projects.models import Project
from projects.services import create_project, create_tag
from segments.models import Operator, RuleType, Segment
from segments.rules import WantedCondition, WantedRule
from segments.services import create_segment
from users.models import User

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
    password = settings.ADMIN_INITIAL_PASSWORD or secrets.token_urlsafe(12)
    author = create_first_superuser(settings.ADMIN_EMAIL, username=settings.ADMIN_USERNAME, password=password)
    project = create_project(
        create_organisation(creator=author, name="Example"), creator=author, name="Web shop"
    )
    development, production = (
        create_environment(project, author=author, name=name) for name in ("Development", "Production")
    )
    for environment in (development, production):
        create_server_side_key(environment, name="Demo")

    features = _create_features(project, author)
    beta_testers, quarter = _create_segments(project, author)
    overrides = [
        Change(features["new_checkout"].pk, development.pk, enabled=True),
        Change(features["new_checkout"].pk, production.pk, segment_id=beta_testers.pk, enabled=True),
        Change(features["new_search"].pk, production.pk, segment_id=quarter.pk, enabled=True),
    ]
    for environment in (development, production):
        kim = _create_identities(environment)["kim"]
        items_per_page = features["items_per_page"].pk
        overrides.append(Change(items_per_page, environment.pk, identity_id=kim, enabled=True, value=50))
    apply_change_set(overrides, author=author)
    return Administrator(author.email, password)


def _create_features(project: Project, author: User) -> dict[str, Feature]:
    checkout, to_remove = (create_tag(project, label=label).pk for label in ("checkout", "to remove"))
    theme = json.dumps({"primary": "#1a5fb4", "rounded": True})

    def create(name: str, value: str | None = None, *, enabled: bool = False, **properties: Any) -> Feature:
        return create_feature(
            project, author=author, name=name, initial_value=value, default_enabled=enabled, **properties
        )

    features = [
        create("banner_text", "Free delivery this week", enabled=True),
        create("new_checkout", description="The checkout on one page.", tags=[checkout]),
        create("maintenance_mode", description="Shows a notice in place of the shop."),
        create("items_per_page", "20", enabled=True),
        create("theme", theme, enabled=True, description="A value in JSON."),
        create(
            "button_colour",
            "blue",  # what the half keeps that is given no variant
            enabled=True,
            tags=[checkout],
            multivariate_options=[
                {"value": "green", "key": "green", "default_percentage_allocation": 30},
                {"value": "orange", "key": "orange", "default_percentage_allocation": 20},
            ],
        ),
        create("new_search", description="Rolled out to a quarter of all customers."),
        create("fraud_limit", "500", enabled=True, is_server_key_only=True),
        create("old_export", description="To be removed from the code.", is_archived=True, tags=[to_remove]),
    ]
    return {feature.name: feature for feature in features}


def _create_segments(project: Project, author: User) -> tuple[Segment, Segment]:
    """Return a segment of nested rules and one that holds a quarter of all identities."""
    plan_is_paid = tuple(WantedCondition(Operator.EQUAL, "plan", plan) for plan in ("pro", "enterprise"))
    country_is_us = (WantedCondition(Operator.EQUAL, "country", "US"),)
    first_quarter = (WantedCondition(Operator.PERCENTAGE_SPLIT, value="25"),)
    beta_testers = create_segment(
        project,
        author=author,
        name="beta_testers",
        description="Paying customers outside of the US.",
        rules=[_all_of(WantedRule(RuleType.ANY, plan_is_paid), WantedRule(RuleType.NONE, country_is_us))],
    )
    quarter = create_segment(
        project,
        author=author,
        name="quarter_of_customers",
        rules=[_all_of(WantedRule(RuleType.ANY, first_quarter))],
    )
    return beta_testers, quarter


def _all_of(*rules: WantedRule) -> WantedRule:
    return WantedRule(RuleType.ALL, rules=rules)


def _create_identities(environment: Environment) -> dict[str, int]:
    """Return the ids of the identities by their identifiers."""
    stored = store_traits(
        [TraitChanges(environment.pk, identifier, traits) for identifier, traits in _IDENTITIES.items()]
    )
    return {identity.identifier: identity.id for identity in stored.values()}
