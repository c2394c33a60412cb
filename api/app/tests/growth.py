"""More of everything in a world, so that its lists get longer."""

from datetime import timedelta
from itertools import count

from django.db import connection
from django.utils import timezone

from analytics.models import FeatureEvaluationBucket, RequestBucket, Resource
from app.tests.world import World, failed_delivery
from audit.models import RelatedObjectType
from audit.services import record
from environments.models import Environment
from features.models import (
    Feature,
    FeatureExport,
    FeatureImport,
    ImportStrategy,
    Prerequisite,
    ResourceType,
    TransferStatus,
)
from features.services.change_sets import Change, apply_to_version
from features.services.code_scans import Reference, record_scan
from features.services.versions import create_draft
from features.tests.factories import make_identity_override, make_option, make_segment_override
from health.models import HealthStatus
from identities.models import Identity, TraitKey
from metadata.models import EntityKind, Value
from organisations.models import MemberRole, Organisation
from organisations.tests.factories import make_key
from permissions.tests.factories import grant, make_group, make_role
from projects.models import Project, Tag
from segments.tests.factories import make_segment
from users.tests.factories import make_user
from workflows.tests.factories import make_request, make_segment_request

_numbers, _days = count(1), count()


def grow(world: World) -> None:
    """Add one of everything to a world, and tie it to what is there and to what comes with it.

    So every list of the world is longer by one, and so is what the rows of lists have in them.
    """
    name = f"{world.marker} {next(_numbers)}"
    _people(world, name)
    record(
        f"Environment updated: {world.environment.name}",
        author=world.admin,
        related_object=world.environment,
        related_object_type=RelatedObjectType.ENVIRONMENT,
        organisation_id=world.organisation.pk,
        project_id=world.project.pk,
        environment_id=world.environment.pk,
    )
    tag = Tag.objects.create(project=world.project, label=name)
    environment = Environment.objects.create(project=world.project, name=name)
    feature = _features(world, name, tag)
    _custom_fields(world, name, feature, environment)
    _roles(world, name, tag, environment)
    _counts(world, name)
    connection.check_constraints()  # as a commit would: that is one more revision


def _people(world: World, name: str) -> None:
    organisation = world.organisation
    user = make_user()
    organisation.memberships.create(user=user)
    Organisation.objects.create(name=name).memberships.create(user=world.admin, role=MemberRole.ADMIN)
    make_group(organisation, world.admin, user, name=name)
    for group in (world.group, world.granted_group):
        group.memberships.create(user=user)
    invite = organisation.invites.create(email=make_user().email, invited_by=user)
    invite.permission_groups.add(world.group)
    organisation.invite_links.create()
    organisation.webhooks.create(url=f"https://93.184.215.14/{name}")
    failed_delivery(world.environment, name, organisation_webhook=world.webhook)
    for target in (organisation, world.project, world.environment):
        grant(user, target)
        grant(make_group(organisation, user, name=name), target)
    # The administrator sees every project, and members those that they are shown.
    Project.objects.create(organisation=organisation, name=name)


def _features(world: World, name: str, tag: Tag) -> Feature:
    environment = world.environment
    environment.server_side_keys.create(name=name)
    environment.webhooks.create(url=f"https://93.184.215.14/{name}")
    failed_delivery(environment, name, environment_webhook=world.environment_webhook)
    feature = Feature.objects.create(project=world.project, name=name)
    segment = make_segment(world.project, name=name)
    identity = Identity.objects.create(environment=environment, identifier=name)
    TraitKey.objects.create(environment=environment, key=name)
    for known in (world.identity, identity):
        known.traits = {**known.traits, name: name}
        known.save()
    for each in (world.feature, feature):
        each.tags.add(tag)
        each.owners.add(world.admin, make_user())
        each.group_owners.add(world.group, make_group(world.organisation, name=name))
        make_identity_override(each, identity)
        make_segment_override(each, environment, segment)
    make_identity_override(feature, world.identity)
    make_segment_override(feature, environment, world.segment)
    Prerequisite.objects.create(
        environment=environment, feature=feature, required_feature=world.needed, enabled=False
    )
    for varied in (world.multivariate, feature):
        make_option(varied, name, 0)
    for each in (world.feature, feature):
        each.external_resources.create(url=f"https://gitlab.com/{name}", type=ResourceType.GITLAB_ISSUE)
        each.health_events.create(environment=environment, provider_name="Webhook", type=HealthStatus.HEALTHY)
    create_draft(world.versioned, world.multivariate, author=world.admin, description=name)
    drafted = Change(world.multivariate.pk, world.versioned.pk, segment_id=segment.pk)
    apply_to_version(world.draft, [drafted], author=world.admin)
    FeatureExport.objects.create(environment=environment, name=name)
    FeatureImport.objects.create(
        environment=environment, strategy=ImportStrategy.SKIP, status=TransferStatus.SUCCESS
    )
    references: list[Reference] = [
        {"feature_name": each, "file_path": name, "line_number": 1} for each in (world.feature.name, name)
    ]
    record_scan(
        world.project, url=f"https://{name}", vcs_provider="github", revision=name, references=references
    )
    for each in (world.feature, feature):
        request = make_request(environment, each, author=world.member, title=f"{name} request")
        request.approvals.create(user=make_user())
        request.group_assignments.create(group=world.group)
    make_segment_request(world.segment, author=world.member, title=name)
    for request in (world.change_request, world.segment_request):
        request.comments.create(user=make_user(), text=name)
    return feature


def _custom_fields(world: World, name: str, feature: Feature, environment: Environment) -> None:
    fields = world.organisation.custom_fields
    custom_field = fields.create(name=name)
    fields.create(name=name, project=world.project).attachments.create(kind=EntityKind.FEATURE)
    attachments = {kind: custom_field.attachments.create(kind=kind) for kind in EntityKind.values}
    for each in (world.feature, feature):
        Value.objects.create(attachment=attachments["feature"], feature=each, value=name)
    for place in (world.environment, environment):
        Value.objects.create(attachment=attachments["environment"], environment=place, value=name)
    for segment in (world.segment, world.project.segments.get(name=name)):
        Value.objects.create(attachment=attachments["segment"], segment=segment, value=name)
    attachments["feature"].requirements.create(project=world.project)
    attachments["segment"].requirements.create(organisation=world.organisation)


def _roles(world: World, name: str, tag: Tag, environment: Environment) -> None:
    organisation = world.organisation
    user = make_user()
    organisation.memberships.create(user=user)
    key = make_key(organisation, name=name, is_admin=False, creator=user)
    project = Project.objects.create(organisation=organisation, name=f"{name} for a role")
    group = make_group(organisation, user, name=name)
    for kind, holder in (("user", user), ("group", group), ("master_key", key)):
        make_role(organisation, holder)
        world.granted_role.assignments.create(**{kind: holder})
    role = make_role(organisation, world.admin, world.granted_group, world.roled_key, name=name)
    role.tags.add(tag)
    for target in (project, environment):
        grant(world.granted_role, target, tags=(tag.pk,))


def _counts(world: World, name: str) -> None:
    day = timezone.now() - timedelta(days=next(_days))
    RequestBucket.objects.create(
        environment_id=world.environment.pk,
        started_at=day,
        resource=Resource.FLAGS,
        user_agent="flagsmith-python-sdk/4.0.0",
        application_name="shop",
        application_version="1.2",
        total_count=1,
    )
    FeatureEvaluationBucket.objects.create(
        environment_id=world.environment.pk,
        feature_name=world.feature.name,
        started_at=day,
        total_count=1,
    )
