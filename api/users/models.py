"""People who sign in. They are known by their e-mail address."""

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.db import models
from django.db.models import Value
from django.db.models.functions import Lower


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


class User(AbstractUser):
    username = models.CharField(  # type: ignore[assignment]  # optional here
        max_length=150, unique=True, null=True, blank=True
    )
    email = models.EmailField("e-mail address", unique=True)
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sign_up_type = models.CharField(max_length=100, choices=SignUpType, null=True, blank=True)

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

    def __str__(self) -> str:
        return self.email

    @property
    def auth_type(self) -> str:
        """How the user signs in."""
        return "EMAIL"

    def clean(self) -> None:
        super().clean()
        self.email = self.email.strip().lower()
