"""What ends a case, or the whole run, with a message for whoever started it."""


class CaseFailed(Exception):
    """A case can't give a figure that could be trusted."""


class CaseSkipped(Exception):
    """A case doesn't apply here."""


class CannotRun(Exception):
    """Something that every case needs is missing."""
