"""The table of integrations: which there are, where they are configured, and what with.

A new one is a line here, and a file in `vendors` with what it is sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rest_framework import serializers

from audit.models import RelatedObjectType
from integrations.calls import Call
from integrations.events import Event
from integrations.fields import (
    SECRET,
    address,
    api_key,
    hidden,
    one_address_of,
    optional_address,
    switch,
    text,
)
from integrations.identities import Reading
from integrations.vendors import (
    amplitude,
    datadog,
    dynatrace,
    grafana,
    heap,
    mixpanel,
    new_relic,
    rudderstack,
    segment,
    sentry,
    slack,
    webhook,
)
from permissions.catalogue import Level

OF_ENVIRONMENT = (Level.ENVIRONMENT,)
OF_PROJECT = (Level.PROJECT,)
ANYWHERE = (Level.ENVIRONMENT, Level.PROJECT, Level.ORGANISATION)

# What services can be told of: the types of records, in the audit log.
_LIVE_STATES = frozenset({RelatedObjectType.FEATURE_STATE, RelatedObjectType.EF_VERSION})
HEARD = _LIVE_STATES | {RelatedObjectType.FEATURE, RelatedObjectType.SEGMENT}

OfEvent: TypeAlias = Callable[[Event, Mapping[str, Any]], Call | None]
OfIdentity: TypeAlias = Callable[[Reading, Mapping[str, Any]], Call]


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """A service that something can be connected with.

    Attributes:
        name: as paths have it.
        title: as people know it.
        levels: what can be connected with it, once each.
        fields: what is said of it, by name.
        absent: the values of fields that nobody has given.
        shows_environment: answers name the environment.
        rests_on: the kind of a connection of the project that it is called by, besides its own fields.
        of_event: what it is sent when something has changed; None: it isn't told.
        hears: the types of records that it is told of.
        of_identity: what it is sent when an identity's flags were read; None: it isn't told.
    """

    name: str
    title: str
    levels: tuple[Level, ...]
    fields: Mapping[str, serializers.Field]
    absent: Mapping[str, Any] = field(default_factory=dict)
    shows_environment: bool = False
    rests_on: str | None = None
    of_event: OfEvent | None = None
    hears: frozenset[RelatedObjectType] = HEARD
    of_identity: OfIdentity | None = None

    @property
    def secrets(self) -> frozenset[str]:
        """The names of fields that are kept encrypted."""
        return SECRET & self.fields.keys()


_IDENTITY_KINDS = [
    Kind(
        name="amplitude",
        title="Amplitude",
        levels=OF_ENVIRONMENT,
        fields={"api_key": api_key(), "base_url": optional_address()},
        absent={"base_url": amplitude.BASE_URL},
        of_identity=amplitude.call,
    ),
    Kind(
        name="segment",
        title="Segment",
        levels=OF_ENVIRONMENT,
        fields={"api_key": api_key(), "base_url": one_address_of(segment.BASE_URLS, required=False)},
        absent={"base_url": segment.BASE_URLS[0]},
        of_identity=segment.call,
    ),
    Kind(
        name="heap",
        title="Heap",
        levels=OF_ENVIRONMENT,
        fields={"api_key": api_key(), "base_url": optional_address()},
        absent={"base_url": None},
        of_identity=heap.call,
    ),
    Kind(
        name="mixpanel",
        title="Mixpanel",
        levels=OF_ENVIRONMENT,
        fields={"api_key": api_key(), "base_url": optional_address()},
        absent={"base_url": None},
        of_identity=mixpanel.call,
    ),
    Kind(
        name="rudderstack",
        title="RudderStack",
        levels=OF_ENVIRONMENT,
        fields={"api_key": api_key(), "base_url": address()},
        of_identity=rudderstack.call,
    ),
    Kind(
        name="webhook",
        title="Webhook for identities",
        levels=OF_ENVIRONMENT,
        fields={"url": address(), "secret": text(255, required=False, allow_blank=True)},
        absent={"secret": ""},
        of_identity=webhook.call,
    ),
]
_EVENT_KINDS = [
    Kind(
        name="datadog",
        title="Datadog",
        levels=OF_PROJECT,
        fields={"base_url": address(), "api_key": api_key(), "use_custom_source": switch()},
        absent={"use_custom_source": False},
        of_event=datadog.call,
    ),
    Kind(
        name="new-relic",
        title="New Relic",
        levels=OF_PROJECT,
        fields={"base_url": address(), "api_key": api_key(), "app_id": text(100)},
        of_event=new_relic.call,
    ),
    Kind(
        name="grafana",
        title="Grafana",
        levels=ANYWHERE,
        fields={"base_url": address(), "api_key": api_key()},
        of_event=grafana.call,
    ),
    Kind(
        name="dynatrace",
        title="Dynatrace",
        levels=OF_ENVIRONMENT,
        fields={"base_url": address(), "api_key": api_key(), "entity_selector": text(1000)},
        of_event=dynatrace.call,
    ),
    Kind(
        name="slack",
        title="Slack",
        levels=OF_ENVIRONMENT,
        fields={"channel_id": text(50), "enabled": switch()},
        absent={"enabled": True},
        rests_on=slack.WORKSPACE,
        of_event=slack.call,
    ),
    # What lets in: from Slack itself, when somebody installs this server's app, or of an app of their own.
    Kind(
        name=slack.WORKSPACE,
        title="Slack workspace",
        levels=OF_PROJECT,
        fields={"api_token": hidden(255)},
        absent={"api_token": ""},
    ),
    Kind(
        name="sentry",
        title="Sentry change tracking",
        levels=OF_ENVIRONMENT,
        fields={"webhook_url": address(), "secret": text(60, min_length=10, trim_whitespace=False)},
        shows_environment=True,
        of_event=sentry.call,
        hears=_LIVE_STATES,
    ),
]

KINDS = {kind.name: kind for kind in [*_IDENTITY_KINDS, *_EVENT_KINDS]}

# Those that are told of identities. What SDKs are served carries whether an environment has one.
IDENTITY_KINDS = [kind.name for kind in KINDS.values() if kind.of_identity]
