"""Second factors for tests."""

from accounts.mfa import totp
from accounts.mfa.models import MfaMethod
from accounts.mfa.services import begin_activation, confirm_activation
from users.models import User


class App:
    """An authenticator app that knows a user's secret, and what was printed when it was set up."""

    def __init__(self, user: User) -> None:
        self.secret = begin_activation(user).secret
        # Confirmed with the code of the last step, so that the current one is still good.
        self.backup_codes = confirm_activation(user, "app", self.code(steps=-1))

    def code(self, *, steps: int = 0) -> str:
        return totp.code_at(self.secret, totp.current_step() + steps)


def forget_used_steps() -> None:
    """Let codes of this moment count again, as if time had passed."""
    MfaMethod.objects.update(last_step=None)
