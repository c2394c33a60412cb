"""An installation that people rely on."""

from app.settings.common import *  # noqa: F403
