"""Whatever is read to make a document publishes its changes, from whichever path and however many write."""

import random
import re
import threading
from collections import Counter

import pgtrigger
import pytest
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext

from documents.builder import build
from documents.rows import read_rows
from documents.tests.factories import make_feature, make_segment, override_for_identity, override_for_segment
from environments.models import Environment, EnvironmentRevision, Touch
from features.models import Feature, FeatureState
from projects.models import Project
from segments.models import Condition

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover]

# What the triggers themselves write.
REVISIONS = {"environments_environmentrevision"}
EVERY_OPERATION = {"publish_insert", "publish_update", "publish_delete", "publish_truncate"}
# An identity is read for its identifier and shows through its overrides, so making or deleting one changes
# nothing by itself; and a statement trigger would buffer every batch of traits.
IN_PART = {"identities_identity": {"publish_rename"}}


def test_every_table_that_is_read_publishes(project, environment, feature):
    override_for_segment(feature, environment, make_segment(project))
    override_for_identity(feature, environment, "kim")

    with CaptureQueriesContext(connection) as queries:
        read_rows(environment.pk)

    read = {
        table
        for query in queries
        for table in re.findall(r'(?:FROM|JOIN) "(\w+)"', query["sql"])
        if table not in REVISIONS
    }
    triggers = {
        table: {trigger.name for model, trigger in pgtrigger.registered() if model._meta.db_table == table}
        for table in read
    }
    assert len(read) >= 10
    for table in read:
        assert triggers[table] >= IN_PART.get(table, EVERY_OPERATION), table


WRITERS = 32
TRANSACTIONS = 5_000


def test_many_writers_with_mixed_transactions_never_deadlock_and_each_commit_publishes_once(organisation):
    """The order of locks is what could deadlock, so every transaction takes its own, in random order."""
    project = Project.objects.create(organisation=organisation, name="Busy")
    environments = [Environment.objects.create(project=project, name=f"{number}") for number in range(8)]
    features = [make_feature(project) for _ in range(WRITERS)]
    segments = [make_segment(project) for _ in range(WRITERS)]
    conditions = {each: Condition.objects.get(rule__segment=each).pk for each in segments}
    before = dict(EnvironmentRevision.objects.values_list("environment_id", "revision"))
    expected: Counter[int] = Counter()
    failures: list[str] = []
    adding = threading.Lock()

    def write(writer: int) -> None:
        chance = random.Random(writer)
        raised: Counter[int] = Counter()
        try:
            for turn in range(TRANSACTIONS // WRITERS + 1):
                touched: set[int] = set()
                commits = chance.random() < 0.9
                try:
                    with transaction.atomic():
                        for _ in range(chance.randint(1, 3)):
                            touched |= change(writer, turn, chance)
                        transaction.set_rollback(not commits)
                except Error as error:
                    failures.append(str(error))
                    continue
                if commits:
                    raised.update(touched)
        finally:
            connection.close()
            with adding:
                expected.update(raised)

    def change(writer: int, turn: int, chance: random.Random) -> set[int]:
        """Change a row that is this writer's own, so that only the revisions are contended."""
        kind = chance.randrange(10)
        if kind < 7:
            environment = chance.choice(environments)
            FeatureState.objects.filter(environment=environment, feature=features[writer]).update(
                string_value=f"{turn} {chance.random()}"
            )
            return {environment.pk}
        if kind < 9:
            Condition.objects.filter(pk=conditions[segments[writer]]).update(value=str(chance.random()))
        else:
            Feature.objects.filter(pk=features[writer].pk).update(name=f"{writer} {turn} {chance.random()}")
        return {each.pk for each in environments}

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    after = dict(EnvironmentRevision.objects.values_list("environment_id", "revision"))
    assert failures == []
    assert {each: after[each] - before[each] for each in after} == dict(expected)
    assert not Touch.objects.exists()


def test_rebuilds_under_fire_are_what_their_revision_names(organisation):
    """Two values that every transaction changes together are never seen apart."""
    project = Project.objects.create(organisation=organisation, name="Busy")
    environment = Environment.objects.create(project=project, name="Production")
    one, other = make_feature(project, "one"), make_feature(project, "other")
    done = threading.Event()
    seen: dict[int, set[object]] = {}
    apart = []

    def write(writer: int) -> None:
        try:
            for turn in range(60):
                with transaction.atomic():
                    for feature in sorted((one, other), key=lambda each: each.pk):
                        FeatureState.objects.filter(environment=environment, feature=feature).update(
                            type="unicode", string_value=f"{writer}-{turn}"
                        )
        finally:
            connection.close()

    def rebuild() -> None:
        try:
            while not done.is_set():
                rows = read_rows(environment.pk)
                states = build(rows).document["feature_states"]
                values = {state["feature_state_value"] for state in states}
                assert rows.revision
                seen.setdefault(rows.revision.name.number, set()).update(values)
                if len(values) != 1:
                    apart.append(values)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    readers = [threading.Thread(target=rebuild) for _ in range(2)]
    for thread in (*writers, *readers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in readers:
        thread.join()

    assert apart == []
    assert {len(values) for values in seen.values()} == {1}
    assert len(seen) > 5
