"""Master keys for tests."""

from typing import Any

from rest_framework.test import APIClient

from organisations.models import MasterKey, Organisation
from organisations.services.master_keys import create_master_key


def make_key(organisation: Organisation, **fields: Any) -> MasterKey:
    """Make a master key, whose `secret` is what a machine sends."""
    return create_master_key(organisation, **{"name": "Terraform", "creator": None, **fields})


def machine_client(key: MasterKey) -> APIClient:
    """Return a client that sends a key."""
    return APIClient(headers={"Authorization": f"Api-Key {key.secret}"})
