from django.urls import URLPattern, URLResolver, path

from accounts.mfa.views import (
    ActivationView,
    ActiveMethodsView,
    CodeView,
    ConfirmationView,
    DeactivationView,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("auth/login/code/", CodeView.as_view(), name="login-code"),
    path("auth/mfa/user-active-methods/", ActiveMethodsView.as_view(), name="mfa-active-methods"),
    path("auth/<str:method>/activate/", ActivationView.as_view(), name="mfa-activate"),
    path("auth/<str:method>/activate/confirm/", ConfirmationView.as_view(), name="mfa-confirm"),
    path("auth/<str:method>/deactivate/", DeactivationView.as_view(), name="mfa-deactivate"),
]
