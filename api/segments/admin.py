"""Segments in the admin. Their rules are written as JSON, in the form that the API has."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from core.admin import ServiceAdmin
from core.errors import InvalidInput
from segments.models import Segment
from segments.rules import WantedRule, check_rules, wanted_rules
from segments.serializers import RuleSerializer
from segments.services import create_segment, delete_segment, described, stored_rules, update_segment

_EXAMPLE = [
    {
        "type": "ALL",
        "conditions": [],
        "rules": [
            {
                "type": "ANY",
                "conditions": [{"operator": "EQUAL", "property": "country", "value": "FR"}],
            }
        ],
    }
]


class SegmentForm(forms.ModelForm):
    rules = forms.JSONField(
        initial=_EXAMPLE,
        widget=forms.Textarea({"rows": 24, "cols": 90}),
        help_text="Rules of type ALL, ANY or NONE with conditions, and with further rules one level deep.",
    )

    class Meta:
        model = Segment
        fields = ["project", "feature", "name", "description"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk:
            self.initial["rules"] = described(stored_rules(self.instance))
        self.fields["rules"].widget.attrs["spellcheck"] = "false"

    def clean_rules(self) -> tuple[WantedRule, ...]:
        serializer = RuleSerializer(data=self.cleaned_data["rules"], many=True)
        if not serializer.is_valid():
            raise forms.ValidationError(str(serializer.errors))
        try:
            rules = wanted_rules(serializer.validated_data)
            check_rules(rules)
        except InvalidInput as error:
            raise forms.ValidationError(str(error)) from error
        return rules


@admin.register(Segment)
class SegmentAdmin(ServiceAdmin):
    form = SegmentForm
    list_display = ["name", "project", "feature", "created_at", "updated_at"]
    list_filter = [("feature", admin.EmptyFieldListFilter), "created_at"]
    list_select_related = ["project", "feature"]
    search_fields = ["name", "=uuid", "project__name"]
    autocomplete_fields = ["project", "feature"]
    fields = ["project", "feature", "name", "description", "rules", "uuid", "created_at", "updated_at"]
    readonly_fields = ["uuid", "created_at", "updated_at"]
    fixed_fields = ("project",)

    def create(self, request: HttpRequest, **fields: Any) -> Segment:
        return create_segment(author=request.user, **_with_feature_id(fields))

    def update(self, request: HttpRequest, instance: Segment, **changes: Any) -> None:
        update_segment(instance, author=request.user, **_with_feature_id(changes))

    def remove(self, request: HttpRequest, instance: Segment) -> None:
        delete_segment(instance, author=request.user)


def _with_feature_id(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a form's fields as services take them."""
    if "feature" not in fields:
        return fields
    feature = fields.pop("feature")
    return {**fields, "feature_id": feature.pk if feature else None}
