"""Migrating to a new trigger without making every model anew.

A trigger is no part of a model's shape, but django-pgtrigger has Django render the model again, and all that
hang together with it, for each trigger that a migration adds or removes: that took twice as long as
everything else in migrating a new database. Here the model that is rendered already learns of its triggers.
"""

from functools import wraps
from typing import Any

from django.db.migrations.state import ProjectState
from pgtrigger.migrations import AddTrigger, RemoveTrigger


def spare_rendering() -> None:
    """Have migrations of triggers leave models as they are. To be called once, at start."""
    operations: list[Any] = [AddTrigger, RemoveTrigger]
    for operation in operations:
        operation.state_forwards = _without_rendering(operation.state_forwards)


def _without_rendering(state_forwards: Any) -> Any:
    @wraps(state_forwards)
    def forwards(self: AddTrigger | RemoveTrigger, app_label: str, state: ProjectState) -> None:
        state_forwards(self, app_label, _Unrendered(state))
        if "apps" in state.__dict__:  # rendered already
            model: Any = state.apps.get_model(app_label, self.model_name)
            model._meta.triggers = state.models[app_label, self.model_name_lower].options["triggers"]

    return forwards


class _Unrendered:
    """A state as these operations see it: its models, and nothing to render."""

    def __init__(self, state: ProjectState) -> None:
        self.models = state.models

    def reload_model(self, *_: Any, **__: Any) -> None:
        """Do nothing."""
