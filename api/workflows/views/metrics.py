"""The figures of an environment, with those of its change requests."""

from features.views.metrics import EnvironmentMetricsView as FeaturesMetricsView
from workflows.selectors import numbers_in


class EnvironmentMetricsView(FeaturesMetricsView):
    """How much there is in an environment, with its change requests."""

    def figures_from_above(self) -> dict[str, int]:
        return numbers_in(self.environment)
