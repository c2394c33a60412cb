"""What is in the database: environments of each size that a case asks for, made when it is first used."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db import connection, transaction
from rest_framework.authtoken.models import Token

from environments.models import Environment
from environments.services import create_environment, create_server_side_key
from features.models import Feature, FeatureState
from features.services.change_sets import Change, apply_change_set
from features.services.features import create_feature
from features.services.multivariate_options import WantedOption
from identities.batches import TraitChanges
from identities.models import Identity
from identities.services import store_traits
from identities.traits import TraitValue
from organisations.models import Organisation
from organisations.services import create_organisation
from projects.models import Project
from projects.services import create_project
from segments.models import Operator, RuleType, Segment
from segments.rules import WantedCondition, WantedRule
from segments.services import create_segment
from users.models import User

PEOPLE = 1000
MILLION = 1_000_000
_SEGMENTS = 10
_MULTIVARIATE = 20
_OVERRIDES_OF_A_SEGMENT = 3
_IDENTITY_OVERRIDES = 10_000
_PROJECTS_OF_MANY, _ENVIRONMENTS_OF_A_PROJECT = 100, 10

_PLANS = ("free", "pro", "enterprise")
_COUNTRIES = ("NL", "FR", "US", "DE")


@dataclass(frozen=True, slots=True)
class Place:
    """An environment with its keys."""

    id: int
    project_id: int
    key: str
    server_key: str


def known_traits(number: int) -> dict[str, TraitValue]:
    """Return the five traits that `known-<number>` always has. lua/identities.lua says the same."""
    return {
        "plan": _PLANS[number % 3],
        "country": _COUNTRIES[number % 4],
        "age": 18 + number % 60,
        "newsletter": number % 2 == 0,
        "visits": 0,
    }


class World:
    """An organisation, its administrator, and environments by what is in them."""

    @cached_property
    def author(self) -> User:
        return User.objects.create_superuser("bench@example.com", "only in this database")

    @cached_property
    def token(self) -> str:
        """The administrator's token for the management API."""
        return str(Token.objects.create(user=self.author).key)

    @cached_property
    def organisation(self) -> Organisation:
        return create_organisation(creator=self.author, name="Bench")

    @cached_property
    def ten(self) -> Place:
        return self._with_features(10)

    @cached_property
    def hundred(self) -> Place:
        return self._with_features(100)

    @cached_property
    def thousand(self) -> Place:
        return self._with_features(1000)

    @cached_property
    def people(self) -> Place:
        """100 flags of which 20 are multivariate, 10 segments with overrides, and 1,000 known identities."""
        project = self._project("People")
        place = self._place(project)
        features = [
            create_feature(
                project,
                author=self.author,
                name=f"feature_{number}",
                initial_value=f"value {number}",
                default_enabled=number % 2 == 0,
                multivariate_options=_variants(number) if number < _MULTIVARIATE else [],
            )
            for number in range(100)
        ]
        self._override_for_segments(place, features, _segments(project, self.author))
        store_traits(
            [TraitChanges(place.id, f"known-{number}", known_traits(number)) for number in range(PEOPLE)]
        )
        return place

    @cached_property
    def complex(self) -> Place:
        """1,000 features and 100 segments, each with overrides."""
        project = self._project("Complex")
        place = self._place(project)
        Feature.objects.bulk_create(_features(project, 1000))
        segments = [
            segment
            for _ in range(100 // _SEGMENTS)
            for segment in _segments(
                project, self.author, first=Segment.objects.filter(project=project).count()
            )
        ]
        self._override_for_segments(place, list(Feature.objects.filter(project=project)), segments)
        return place

    @cached_property
    def overridden(self) -> Place:
        """100 features, and 10,000 identities that have an override of the first."""
        place = self._with_features(100, name="Overridden")
        identities = Identity.objects.bulk_create(
            Identity(environment_id=place.id, identifier=f"user-{number}@example.org")
            for number in range(_IDENTITY_OVERRIDES)
        )
        feature = Feature.objects.filter(project_id=place.project_id).earliest("id")
        states = []
        for identity in identities:
            state = FeatureState(feature=feature, environment_id=place.id, identity=identity, enabled=True)
            state.value = "only for this one"
            states.append(state)
        FeatureState.objects.bulk_create(states)
        return place

    @cached_property
    def million(self) -> Place:
        """1,000,000 identities of five traits, named `user-1@example.org` and so on, and 10 features."""
        place = self._with_features(10, name="A million")
        with connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO identities_identity (environment_id, identifier, created_date, traits)
                SELECT %s, 'user-' || number || '@example.org', now() - number * interval '1 second',
                       '{"plan": "pro", "country": "NL", "age": 30, "newsletter": true, "visits": 0}'
                FROM generate_series(1, %s) AS number
                """,
                [place.id, MILLION],
            )
            cursor.execute("VACUUM ANALYZE identities_identity")
        return place

    def importing(self, number: int) -> Place:
        """Return a new project without features and with three environments: its first one's place."""
        project = self._project(f"To import into {number}")
        place = self._place(project)
        for name in ("Staging", "Development"):
            create_environment(project, author=self.author, name=name)
        return place

    @cached_property
    def three(self) -> Sequence[int]:
        """The ids of three environments of one project, with 100 features."""
        project = self._project("Three environments")
        Feature.objects.bulk_create(_features(project, 100))
        return [
            create_environment(project, author=self.author, name=name).pk
            for name in ("Production", "Staging", "Development")
        ]

    @cached_property
    def many(self) -> Sequence[str]:
        """The client-side keys of 1,000 environments of 100 features."""
        keys = []
        for number in range(_PROJECTS_OF_MANY):
            project = self._project(f"Project {number}")
            with transaction.atomic():
                Feature.objects.bulk_create(_features(project, 100))
                environments = Environment.objects.bulk_create(
                    Environment(project=project, name=f"Environment {each}")
                    for each in range(_ENVIRONMENTS_OF_A_PROJECT)
                )
            keys += [environment.api_key for environment in environments]
        return keys

    def _with_features(self, number: int, *, name: str = "") -> Place:
        project = self._project(name or f"{number} features")
        place = self._place(project)
        Feature.objects.bulk_create(_features(project, number))
        return place

    def _project(self, name: str) -> Project:
        return create_project(self.organisation, creator=self.author, name=name)

    def _place(self, project: Project) -> Place:
        environment = create_environment(project, author=self.author, name="Production")
        key = create_server_side_key(environment, name="bench")
        return Place(environment.pk, project.pk, environment.api_key, key.key)

    def _override_for_segments(
        self, place: Place, features: Sequence[Feature], segments: Sequence[Segment]
    ) -> None:
        """Give each segment overrides of some features, next to those of the segment before."""
        changes = [
            Change(
                features[(place_in_order * _OVERRIDES_OF_A_SEGMENT + each) % len(features)].pk,
                place.id,
                segment_id=segment.pk,
                enabled=True,
                value=f"for {segment.name}",
            )
            for place_in_order, segment in enumerate(segments)
            for each in range(_OVERRIDES_OF_A_SEGMENT)
        ]
        apply_change_set(changes, author=self.author)


def _features(project: Project, number: int) -> list[Feature]:
    return [
        Feature(
            project=project,
            name=f"feature_{each}",
            initial_value=f"value {each}",
            default_enabled=each % 2 == 0,
        )
        for each in range(number)
    ]


def _variants(number: int) -> list[WantedOption]:
    return [
        {"key": key, "value": f"{key} {number}", "default_percentage_allocation": share}
        for key, share in (("green", 30), ("orange", 20))
    ]


def _segments(project: Project, author: User, *, first: int = 0) -> list[Segment]:
    """Make ten segments of the usual kinds of conditions."""
    kinds: list[list[WantedCondition]] = [
        [WantedCondition(Operator.EQUAL, "plan", "pro")],
        [WantedCondition(Operator.EQUAL, "plan", plan) for plan in ("pro", "enterprise")],
        [WantedCondition(Operator.IN, "country", "NL,FR,DE")],
        [WantedCondition(Operator.NOT_EQUAL, "country", "US")],
        [WantedCondition(Operator.GREATER_THAN_INCLUSIVE, "age", "40")],
        [WantedCondition(Operator.LESS_THAN, "age", "25")],
        [WantedCondition(Operator.EQUAL, "newsletter", "true")],
        [WantedCondition(Operator.GREATER_THAN, "visits", "1000")],
        [WantedCondition(Operator.PERCENTAGE_SPLIT, value="25")],
        [WantedCondition(Operator.REGEX, "country", "^(N|F)")],
    ]
    return [
        create_segment(
            project,
            author=author,
            name=f"segment_{first + number}",
            rules=[WantedRule(RuleType.ALL, rules=(WantedRule(RuleType.ANY, tuple(conditions)),))],
        )
        for number, conditions in enumerate(kinds)
    ]
