"""What a new environment is given by features, which stand above environments."""

import pgtrigger

from environments.models import Environment
from features.models.defaults_sql import STATES_OF_NEW_ENVIRONMENT


class EnvironmentDefaults(Environment):
    """No model of its own: carries the trigger that gives a new environment its feature states."""

    class Meta:
        proxy = True
        triggers = [
            pgtrigger.Trigger(
                name="give_default_states",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func=STATES_OF_NEW_ENVIRONMENT,
            )
        ]
