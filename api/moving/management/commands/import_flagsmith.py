"""`manage.py import_flagsmith`: move in from a server with Flagsmith's API."""

import getpass
import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DataError, IntegrityError

from core.errors import DomainError, refusal_in_words
from environments.models import Environment
from moving.api import MovingError, SourceApi
from moving.planning import NOT_MOVED, Plan, plan_for_all
from moving.reading import read_documents, read_identities, read_projects
from moving.readings import EnvironmentReading, IdentityReading
from moving.taking_in import Here, known_identifiers, take_in, take_in_identities
from organisations.models import Organisation

_BATCH = 500
# Of answers with something missing or of another type, or with what doesn't go into the database.
_UNEXPECTED = (LookupError, TypeError, ValueError, AttributeError, DataError, IntegrityError)


class Command(BaseCommand):
    help = (
        "Move projects in from a server with Flagsmith's API, or from environment documents, so that every "
        "rollout has the same people in it. Says what it would do; does it with --yes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--url", help="of the server's API: https://flags.example.org")
        source.add_argument(
            "--documents", nargs="+", metavar="FILE", help="environment documents instead, as JSON"
        )
        parser.add_argument(
            "--key",
            help="an organisation's master key, or an administrator's token; - reads it from standard input. "
            "Asked for if left out: other users of the machine can read a process's arguments",
        )
        parser.add_argument(
            "--organisation", required=True, metavar="NAME", help="where to; it is made if there is none"
        )
        parser.add_argument(
            "--project",
            action="append",
            default=[],
            metavar="NAME",
            help="only this one, by name or id; repeatable",
        )
        parser.add_argument("--yes", action="store_true", help="do what the report says")
        parser.add_argument(
            "--accept-differences",
            action="store_true",
            help="also where somebody will be served something else",
        )
        parser.add_argument("--no-identities", action="store_true", help="only those that have overrides")
        parser.add_argument(
            "--only-new-identities",
            action="store_true",
            help="leave those alone that are here: to go on after a stop",
        )
        parser.add_argument(
            "--most-per-second", type=float, default=20.0, metavar="N", help="requests to the server; 20"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._move(**options)
        except MovingError as error:
            raise CommandError(str(error)) from error
        except DomainError as error:
            raise CommandError(refusal_in_words(error)) from error
        except _UNEXPECTED as error:
            # The first line only: the database's next one has the values, and a key may be among them.
            words = refusal_in_words(error) or str(error).partition("\n")[0]
            raise CommandError(
                f"What was read isn't as expected ({type(error).__name__}: {words}). --traceback shows where."
            ) from error

    def _move(
        self,
        *,
        url: str | None,
        documents: Sequence[str] | None,
        organisation: str,
        yes: bool,
        **options: Any,
    ) -> None:
        api = self._api(url, options["key"], options["most_per_second"]) if url else None
        target = _organisation(organisation)
        readings = (
            read_projects(api, options["project"])
            if api
            else read_documents([_json(each) for each in documents or []])
        )
        plans = plan_for_all(readings, target)
        for plan in plans:
            for line in plan.lines:
                self.stdout.write(line)
        self.stdout.write("What isn't moved:")
        for line in NOT_MOVED:
            self.stdout.write(f"  {line}")
        _refuse_what_cannot_be(plans, accept_differences=options["accept_differences"])
        if not yes:
            self.stdout.write("Nothing was changed. --yes does it.")
            return
        keeps_traits = all(plan.reading.keeps_traits for plan in plans)
        target = target or Organisation.objects.create(name=organisation, persist_trait_data=keeps_traits)
        for plan in plans:
            here = plan.here or take_in(plan.reading, target)
            self.stdout.write(f"{plan.reading.name} is here.")
            for environment in plan.reading.environments:
                self._identities(api, plan, environment, here, **options)

    def _identities(
        self,
        api: SourceApi | None,
        plan: Plan,
        reading: EnvironmentReading,
        here: Here,
        *,
        no_identities: bool,
        only_new_identities: bool,
        **options: Any,
    ) -> None:
        environment = Environment.objects.get(api_key=reading.api_key)
        # First those with overrides: they count for most, and may be all that there is to be had.
        overridden = [IdentityReading(each, {}, states) for each, states in reading.identities.items()]
        for start in range(0, len(overridden), _BATCH):
            take_in_identities(overridden[start : start + _BATCH], environment, here)
        number = len(overridden)
        if api is not None and not no_identities:
            skip = partial(known_identifiers, environment) if only_new_identities else None
            number = 0
            for batch in read_identities(api, plan.reading, reading, skip):
                take_in_identities(batch, environment, here)
                number += len(batch)
                if number % 1000 < len(batch):
                    self.stdout.write(f"  {reading.name}: {number} identities so far")
        self.stdout.write(f"  {reading.name}: {number} identities are here.")

    def _api(self, url: str, key: str | None, most_per_second: float) -> SourceApi:
        if most_per_second <= 0:
            raise MovingError("--most-per-second is more than 0.")
        if key is None:
            key = getpass.getpass("Key: ")
        elif key == "-":
            key = sys.stdin.readline()
        if not (key := key.strip()):
            raise MovingError("Without a key the server tells nothing.")
        return SourceApi(url, key, most_per_second=most_per_second)


def _organisation(name: str) -> Organisation | None:
    found = list(Organisation.objects.filter(name=name)[:2])
    if len(found) > 1:
        raise MovingError(f"There are several organisations called {name}: rename one for the time being.")
    return found[0] if found else None


def _json(path: str) -> Any:
    try:
        return json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise MovingError(f"{path} can't be read as JSON: {error}") from error


def _refuse_what_cannot_be(plans: Sequence[Plan], *, accept_differences: bool) -> None:
    if any(plan.conflicts for plan in plans):
        raise MovingError("What is marked IMPOSSIBLE stands in the way. Nothing was changed.")
    if any(plan.differences for plan in plans) and not accept_differences:
        raise MovingError(
            "Somebody would be served something else than before, as marked DIFFERENT. Nothing was changed; "
            "--accept-differences does it all the same."
        )
