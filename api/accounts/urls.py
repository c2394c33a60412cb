from django.urls import URLPattern, URLResolver, include, path

from accounts.views.activation import ActivationView, ResendActivationView
from accounts.views.current_user import CurrentUserView, OnboardingView, SetEmailView, UserView
from accounts.views.passwords import ResetPasswordConfirmView, ResetPasswordView, SetPasswordView
from accounts.views.registration import RegistrationView
from accounts.views.sign_in import LoginView, LogoutView, TokenView

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("accounts.initialisation.urls")),
    path("", include("accounts.token_api.urls")),
    path("auth/login/", LoginView.as_view(), name="login"),
    path("auth/logout/", LogoutView.as_view(), name="logout"),
    path("auth/token/", TokenView.as_view(), name="token"),
    path("auth/users/", RegistrationView.as_view(), name="users"),
    path("auth/users/me/", CurrentUserView.as_view(), name="current-user"),
    path("auth/users/me/onboarding/", OnboardingView.as_view(), name="onboarding"),
    path("auth/users/activation/", ActivationView.as_view(), name="activation"),
    path("auth/users/resend_activation/", ResendActivationView.as_view(), name="resend-activation"),
    path("auth/users/reset_password/", ResetPasswordView.as_view(), name="reset-password"),
    path(
        "auth/users/reset_password_confirm/",
        ResetPasswordConfirmView.as_view(),
        name="reset-password-confirm",
    ),
    path("auth/users/set_password/", SetPasswordView.as_view(), name="set-password"),
    path("auth/users/set_email/", SetEmailView.as_view(), name="set-email"),
    path("auth/users/<int:user_id>/", UserView.as_view(), name="user"),
    path("", include("accounts.mfa.urls")),
    path("", include("accounts.oauth.urls")),
    path("", include("accounts.oidc.urls")),
]
