"""Answers have the very fields that the API's description says."""

from typing import Any

from rest_framework import serializers

from documents.tests.factories import make_feature, make_segment, override_for_identity, override_for_segment
from sdk.serializers import (
    EnvironmentDocumentSerializer,
    IncrementedTraitSerializer,
    SdkFlagSerializer,
    SdkIdentitySerializer,
    SdkIdentityWithSegmentsSerializer,
    SdkTraitOfIdentitySerializer,
    SdkTraitSerializer,
    SdkVariantsSerializer,
)

TRAIT = {"identity": {"identifier": "kim"}, "trait_key": "plan", "trait_value": "pro"}
INCREMENT = {"identifier": "kim", "trait_key": "logins", "increment_by": 1}


def assert_described(field: Any, value: Any) -> None:
    if isinstance(field, serializers.ListSerializer):
        for item in value:
            assert_described(field.child, item)
    elif isinstance(field, serializers.Serializer) and value is not None:
        assert set(value) == set(field.fields), type(field).__name__
        for name, inner in field.fields.items():
            assert_described(inner, value[name])


def test_answers_are_as_described(project, environment, server_sdk_client):
    feature = make_feature(project, variants={"a": ("A", 10)})
    override_for_segment(feature, environment, make_segment(project), weights={"a": 5})
    override_for_identity(feature, environment, "lee", weights={"a": 100})
    ask = server_sdk_client

    answers = [
        (SdkTraitOfIdentitySerializer(), ask.post("/api/v1/traits/", TRAIT, "json")),
        (SdkTraitOfIdentitySerializer(many=True), ask.put("/api/v1/traits/bulk/", [TRAIT], "json")),
        (IncrementedTraitSerializer(), ask.post("/api/v1/traits/increment-value/", INCREMENT, "json")),
        (SdkTraitSerializer(), ask.post("/api/v1/identities/kim/traits/a", {"trait_value": 1}, "json")),
        (SdkFlagSerializer(many=True), ask.get("/api/v1/flags/")),
        (SdkIdentitySerializer(), ask.get("/api/v1/identities/?identifier=kim")),
        (SdkIdentityWithSegmentsSerializer(), ask.get("/api/v1/identities/kim/")),
        (SdkVariantsSerializer(), ask.get(f"/api/v1/flags/{feature.pk}/multivariate-options/")),
        (EnvironmentDocumentSerializer(), ask.get("/api/v1/environment-document/")),
    ]

    assert [response.status_code for _, response in answers] == [200] * len(answers)
    for serializer, response in answers:
        assert_described(serializer, response.json())
