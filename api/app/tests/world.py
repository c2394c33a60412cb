"""One organisation with one of everything, whose texts are unmistakably its own."""

import json
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from rest_framework.authtoken.models import Token

from audit.models import RelatedObjectType
from audit.services import record
from environments.models import Environment, EnvironmentWebhook, ServerSideKey
from features.models import (
    EnvironmentFeatureVersion,
    ExternalResource,
    Feature,
    FeatureExport,
    FeatureImport,
    FeatureSegment,
    FeatureState,
    ImportStrategy,
    MultivariateOption,
    Prerequisite,
    ResourceType,
    TransferStatus,
)
from features.services.change_sets import Change, apply_to_version
from features.services.code_scans import record_scan
from features.services.versions import create_draft
from health.models import HealthEvent, HealthProvider, HealthStatus, ProviderName
from identities.models import Identity, TraitKey
from metadata.models import Attachment, CustomField, EntityKind, Value
from organisations.models import (
    Group,
    Invite,
    InviteLink,
    MasterKey,
    MemberRole,
    Organisation,
    OrganisationWebhook,
)
from organisations.tests.factories import make_key
from permissions.models import Grant, Role
from permissions.tests.factories import grant, make_group, make_role
from projects.models import Project, Tag
from segments.models import Condition, Operator, RuleType, Segment, SegmentRule
from users.models import User
from users.tests.factories import make_user
from webhooks.models import Delivery, DeliveryStatus, Event, EventType, Receiver
from workflows.models import ChangeRequest
from workflows.tests.factories import make_request, make_segment_request


@dataclass(frozen=True)
class World:
    """A tenant. `marker` stands in each of its names, keys and values; no other tenant's text has it.

    Only its identity has the name that every tenant's identity has: names are no reason to mix them up.
    `varied_state` and `varied_override` are of the multivariate feature, the latter for another identity.
    `needed` has to be off for the feature, and is.
    `versioned` is an environment that keeps versions; of the multivariate feature it has two drafts.
    `scoped_key` is no administrator's, and has no role.
    `group` and `role` hold nothing. `granted_group`, of the administrator alone, and `granted_role`, which
    that group, the administrator and `roled_key` have, hold what `grants` has, by level and kind of holder.
    `attachments` are those of the custom field, by kind of entity; the project's field has none.
    `invited_to` and `linked_to` let the administrator into an organisation of somebody else.
    """

    marker: str
    organisation: Organisation
    admin: User
    member: User
    token: str
    group: Group
    invite: Invite
    invite_link: InviteLink
    webhook: OrganisationWebhook
    invited_to: Invite
    linked_to: InviteLink
    project: Project
    environment: Environment
    server_key: ServerSideKey
    environment_webhook: EnvironmentWebhook
    delivery: Delivery
    environment_delivery: Delivery
    master_key: MasterKey
    scoped_key: MasterKey
    tag: Tag
    feature: Feature
    multivariate: Feature
    option: MultivariateOption
    needed: Feature
    prerequisite: Prerequisite
    segment: Segment
    feature_segment: FeatureSegment
    identity: Identity
    trait_key: TraitKey
    state: FeatureState
    segment_state: FeatureState
    identity_state: FeatureState
    varied_state: FeatureState
    varied_override: FeatureState
    versioned: Environment
    draft: EnvironmentFeatureVersion
    draft_with_override: EnvironmentFeatureVersion
    draft_override: FeatureState
    granted_group: Group
    role: Role
    granted_role: Role
    roled_key: MasterKey
    grants: dict[str, Grant]
    custom_field: CustomField
    attachments: dict[str, Attachment]
    project_field: CustomField
    feature_export: FeatureExport
    feature_import: FeatureImport
    resource: ExternalResource
    health_provider: HealthProvider
    health_event: HealthEvent
    change_request: ChangeRequest
    segment_request: ChangeRequest


def build_world(marker: str) -> World:
    organisation = Organisation.objects.create(name=f"{marker} organisation")
    admin = make_user(email=f"{marker}@example.org", first_name=f"{marker} first name")
    member = make_user(email=f"{marker}.member@example.org", last_name=f"{marker} last name")
    organisation.memberships.create(user=admin, role=MemberRole.ADMIN)
    organisation.memberships.create(user=member, role=MemberRole.USER)
    group = organisation.groups.create(name=f"{marker} group")
    group.memberships.create(user=member)
    elsewhere = Organisation.objects.create(name=f"{marker} friends")
    elsewhere.memberships.create(user=make_user(), role=MemberRole.ADMIN)
    project = Project.objects.create(
        organisation=organisation, name=f"{marker} project", only_allow_lower_case_feature_names=False
    )
    environment = Environment.objects.create(
        project=project, name=f"{marker} environment", api_key=f"{marker}-client-key"
    )
    tag = Tag.objects.create(project=project, label=f"{marker} tag")
    feature = Feature.objects.create(
        project=project,
        name=f"{marker}_feature",
        initial_value=f"{marker} value",
        description=f"{marker} description",
    )
    multivariate = Feature.objects.create(
        project=project, name=f"{marker}_multivariate", initial_value=f"{marker} control"
    )
    option = MultivariateOption.objects.create(
        feature=multivariate,
        key=f"{marker}-option",
        string_value=f"{marker} option",
        default_percentage_allocation=30,
    )
    needed = Feature.objects.create(project=project, name=f"{marker}_needed")
    segment = Segment.objects.create(project=project, name=f"{marker} segment")
    rule = SegmentRule.objects.create(segment=segment, type=RuleType.ALL)
    nested = SegmentRule.objects.create(segment=segment, parent=rule, type=RuleType.ANY)
    Condition.objects.create(
        rule=nested, operator=Operator.EQUAL, property=f"{marker} trait", value=f"{marker} condition"
    )
    identity = Identity.objects.create(
        environment=environment, identifier="kim", traits={f"{marker} trait": f"{marker} text"}
    )
    feature_segment = FeatureSegment.objects.create(feature=feature, segment=segment, environment=environment)
    record(
        f"New Environment created: {environment.name}",
        author=admin,
        related_object=environment,
        related_object_type=RelatedObjectType.ENVIRONMENT,
        organisation_id=organisation.pk,
        project_id=project.pk,
        environment_id=environment.pk,
    )
    roled_key = MasterKey.objects.create(
        organisation=organisation, prefix=marker[:8], name=f"{marker} roled key", is_admin=False
    )
    granted_group = make_group(organisation, admin, name=f"{marker} granted group")
    granted_role = make_role(organisation, admin, granted_group, roled_key, name=f"{marker} granted role")
    custom_field = CustomField.objects.create(organisation=organisation, name=f"{marker} custom field")
    attachments = {kind: custom_field.attachments.create(kind=kind) for kind in EntityKind.values}
    for kind, entity in (("feature", feature), ("segment", segment), ("environment", environment)):
        Value.objects.create(attachment=attachments[kind], value=f"{marker} {kind}", **{kind: entity})
    versioned = Environment.objects.create(
        project=project, name=f"{marker} versioned", use_v2_feature_versioning=True
    )
    draft, draft_with_override = (
        create_draft(versioned, multivariate, author=admin, description=f"{marker} draft") for _ in range(2)
    )
    in_draft = Change(multivariate.pk, versioned.pk, segment_id=segment.pk, value=f"{marker} drafted")
    (draft_override,) = apply_to_version(draft_with_override, [in_draft], author=admin)
    record_scan(
        project,
        url=f"https://github.com/{marker}/shop",
        vcs_provider="github",
        revision=f"{marker} revision",
        references=[{"feature_name": feature.name, "file_path": f"{marker}.py", "line_number": 1}],
    )
    called = {"url": f"https://93.184.215.14/{marker}", "secret": f"{marker} secret"}
    webhook = organisation.webhooks.create(**called)
    environment_webhook = EnvironmentWebhook.objects.create(environment=environment, **called)
    override: dict[str, Any] = {"feature": feature, "environment": environment, "enabled": True}
    return World(
        marker=marker,
        organisation=organisation,
        admin=admin,
        member=member,
        token=Token.objects.create(user=admin).key,
        group=group,
        invite=organisation.invites.create(email=f"{marker}.invited@example.org", invited_by=admin),
        invite_link=organisation.invite_links.create(),
        webhook=webhook,
        invited_to=elsewhere.invites.create(email=admin.email),
        linked_to=elsewhere.invite_links.create(),
        project=project,
        environment=environment,
        environment_webhook=environment_webhook,
        delivery=failed_delivery(environment, f"{marker} message", organisation_webhook=webhook),
        environment_delivery=failed_delivery(
            environment, f"{marker} message", environment_webhook=environment_webhook
        ),
        server_key=ServerSideKey.objects.create(
            environment=environment, name=f"{marker} key", key=f"ser.{marker}"
        ),
        master_key=make_key(organisation, name=f"{marker} master key", creator=admin),
        scoped_key=make_key(organisation, name=f"{marker} scoped key", is_admin=False),
        tag=tag,
        feature=feature,
        multivariate=multivariate,
        option=option,
        needed=needed,
        prerequisite=Prerequisite.objects.create(
            environment=environment, feature=feature, required_feature=needed, enabled=False
        ),
        segment=segment,
        feature_segment=feature_segment,
        identity=identity,
        trait_key=TraitKey.objects.create(environment=environment, key=f"{marker} trait"),
        state=FeatureState.objects.get(feature=feature, environment=environment),
        segment_state=FeatureState.objects.create(
            **override, feature_segment=feature_segment, string_value=f"{marker} for a segment"
        ),
        identity_state=FeatureState.objects.create(
            **override, identity=identity, string_value=f"{marker} for an identity"
        ),
        varied_state=FeatureState.objects.get(feature=multivariate, environment=environment),
        varied_override=FeatureState.objects.create(
            feature=multivariate,
            environment=environment,
            identity=Identity.objects.create(environment=environment, identifier=f"{marker} other identity"),
            string_value=f"{marker} for another identity",
        ),
        versioned=versioned,
        draft=draft,
        draft_with_override=draft_with_override,
        draft_override=draft_override,
        granted_group=granted_group,
        role=make_role(organisation, name=f"{marker} role"),
        granted_role=granted_role,
        roled_key=roled_key,
        grants={
            f"{level} {kind}": grant(holder, target, key)
            for level, target, key in [
                ("organisation", organisation, "MANAGE_USER_GROUPS"),
                ("project", project, "VIEW_PROJECT"),
                ("environment", environment, "VIEW_ENVIRONMENT"),
            ]
            for kind, holder in [("user", admin), ("group", granted_group), ("role", granted_role)]
        },
        custom_field=custom_field,
        attachments=attachments,
        project_field=CustomField.objects.create(
            organisation=organisation, project=project, name=f"{marker} field of the project"
        ),
        feature_export=FeatureExport.objects.create(
            environment=environment,
            name=f"{marker} environment | 2026-03-01 10:00 UTC",
            status=TransferStatus.SUCCESS,
            data=json.dumps([{"name": f"{marker}_feature"}]),
        ),
        feature_import=FeatureImport.objects.create(
            environment=environment, strategy=ImportStrategy.SKIP, status=TransferStatus.SUCCESS
        ),
        resource=ExternalResource.objects.create(
            feature=feature,
            url=f"https://gitlab.com/{marker}/shop/-/issues/1",
            type=ResourceType.GITLAB_ISSUE,
            metadata={"title": f"{marker} issue"},
        ),
        health_provider=HealthProvider.objects.create(
            project=project, name=ProviderName.WEBHOOK, created_by=admin
        ),
        health_event=HealthEvent.objects.create(
            feature=feature,
            environment=environment,
            provider_name=ProviderName.WEBHOOK,
            type=HealthStatus.UNHEALTHY,
            reason={"text_blocks": [{"text": f"{marker} text", "title": "Errors"}], "url_blocks": []},
        ),
        # Of somebody who has left: the administrator can approve them, and no member edits their own.
        change_request=make_request(environment, feature, author=make_user(), title=f"{marker} request"),
        segment_request=make_segment_request(segment, author=make_user(), title=f"{marker} request"),
    )


def failed_delivery(environment: Environment, said: str, **webhook: Any) -> Delivery:
    """Make a message that its receiver didn't take."""
    Receiver.objects.get_or_create(**webhook, defaults={"failures": 0})
    event = Event.objects.create(
        event_type=EventType.FLAG_UPDATED,
        organisation=environment.project.organisation,
        project=environment.project,
        environment=environment,
        subject="feature 0",
        body=json.dumps({"data": {"said": said}, "event_type": "FLAG_UPDATED"}),
    )
    now = timezone.now()
    return Delivery.objects.create(
        event=event,
        subject=event.subject,
        status=DeliveryStatus.FAILED,
        attempts=1,
        give_up_at=now,
        last_attempt_at=now,
        finished_at=now,
        response_status=400,
        duration_ms=12,
        error="It was answered with HTTP 400.",
        **webhook,
    )
