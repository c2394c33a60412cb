"""Migrations that add and remove triggers leave models as they are, and know the triggers."""

import pgtrigger
from django.db.migrations.loader import MigrationLoader
from pgtrigger.migrations import AddTrigger, RemoveTrigger

TRIGGER = pgtrigger.Trigger(
    name="do_nothing", when=pgtrigger.After, operation=pgtrigger.Insert, func="RETURN NULL;"
)


def test_a_rendered_model_learns_of_its_triggers_and_is_not_made_anew():
    state = MigrationLoader(None).project_state()
    model = state.apps.get_model("projects", "tag")
    before = [each.name for each in model._meta.triggers]

    AddTrigger("tag", TRIGGER).state_forwards("projects", state)
    added = [each.name for each in model._meta.triggers]
    RemoveTrigger("tag", "do_nothing").state_forwards("projects", state)

    assert added == [*before, "do_nothing"]
    assert [each.name for each in model._meta.triggers] == before
    assert state.apps.get_model("projects", "tag") is model
    assert [each.name for each in state.models["projects", "tag"].options["triggers"]] == before


def test_a_state_of_which_nothing_is_rendered_stays_so():
    state = MigrationLoader(None).project_state()

    AddTrigger("tag", TRIGGER).state_forwards("projects", state)

    assert state.models["projects", "tag"].options["triggers"][-1].name == "do_nothing"
    assert "apps" not in state.__dict__
