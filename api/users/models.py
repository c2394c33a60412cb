"""People who sign in. They are known by their e-mail address."""

import uuid
from typing import Any, ClassVar

import pgtrigger
from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models, transaction
from django.db.models import F, Value
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from core.history import remembers


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        """Find by e-mail address, whatever the letter case: people type it as they like."""
        # Compared as the unique index does it, so that there is one such user at most.
        return self.alias(any_case=Lower("email")).get(any_case=Lower(Value(username)))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user who may not enter the admin as a superuser.

        Raises:
            ValueError: `email` is empty.
        """
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})


class SignUpType(models.TextChoices):
    NO_INVITE = "NO_INVITE", "Without an invitation"
    INVITE_EMAIL = "INVITE_EMAIL", "Invited by e-mail"
    INVITE_LINK = "INVITE_LINK", "By an invitation link"


def ends_sessions() -> pgtrigger.Trigger:
    """Sign out for good whoever is deactivated, by whatever path, and delete the token with the sessions.

    The generation never goes back: saving a user who was read before sessions ended doesn't revive them.
    """
    return pgtrigger.Trigger(
        name="end_sessions",
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf("is_active", "session_generation"),
        func="""
            NEW.session_generation := GREATEST(NEW.session_generation, OLD.session_generation);
            IF (OLD.is_active AND NOT NEW.is_active) OR NEW.session_generation > OLD.session_generation THEN
                NEW.session_generation := GREATEST(NEW.session_generation, OLD.session_generation + 1);
                DELETE FROM authtoken_token WHERE user_id = NEW.id;
            END IF;
            RETURN NEW;
        """,
    )


def awaits_activation_no_longer() -> pgtrigger.Trigger:
    """Let nobody who has been active activate themselves again after being deactivated."""
    return pgtrigger.Trigger(
        name="awaits_activation_no_longer",
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf("is_active"),
        condition=pgtrigger.Q(new__is_active=True, new__awaits_activation=True),
        func="NEW.awaits_activation := FALSE; RETURN NEW;",
    )


class User(AbstractUser):
    username = models.CharField(  # type: ignore[assignment]  # optional here
        max_length=150, unique=True, null=True, blank=True
    )
    email = models.EmailField("e-mail address", unique=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sign_up_type = models.CharField(max_length=100, choices=SignUpType, null=True, blank=True)
    google_user_id = models.CharField(max_length=50, unique=True, null=True, blank=True)
    github_user_id = models.CharField(max_length=50, unique=True, null=True, blank=True)
    onboarding_data = models.JSONField(null=True, blank=True)
    marketing_consent_given = models.BooleanField(default=True)
    # An account that was deactivated doesn't: its owner can't activate it.
    awaits_activation = models.BooleanField(default=False, editable=False)
    # Part of every session and of every signed token: raising it ends them all.
    session_generation = models.PositiveIntegerField(default=0, editable=False)

    _password: str | None  # set and not saved yet
    _lost_password = False  # the same

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["first_name", "last_name"]

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_any_case",
                violation_error_message="A user with that e-mail address already exists.",
            )
        ]
        triggers = [
            ends_sessions(),
            awaits_activation_no_longer(),
            *remembers(
                name="changed.email",
                secrets=["password"],
                ignored=["last_login", "session_generation", "onboarding_data"],
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def auth_type(self) -> str:
        """How the user signs in."""
        if self.google_user_id:
            return "GOOGLE"
        return "GITHUB" if self.github_user_id else "EMAIL"

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and end the user's sessions where the password is another one now."""
        # The first is how Django tells a new password from the old one that is only hashed anew.
        has_new_password = self._password is not None or self._lost_password
        is_new = self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            self._lost_password = False
            if has_new_password and not is_new:
                self.end_sessions()

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self._lost_password = True

    def end_sessions(self) -> None:
        """Make every token and session of the user invalid, on every worker with the next request."""
        User.objects.filter(pk=self.pk).update(session_generation=F("session_generation") + 1)
        self.refresh_from_db(fields=["session_generation"])

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        generation = f"{self.password}|{self.session_generation}"
        return salted_hmac("users.User.session", generation, secret=secret, algorithm="sha256").hexdigest()
