from django.urls import URLPattern, URLResolver, include, path

from accounts.views.current_user import CurrentUserView
from accounts.views.registration import RegistrationView
from accounts.views.sign_in import LoginView, LogoutView, TokenView

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("accounts.initialisation.urls")),
    path("auth/login/", LoginView.as_view(), name="login"),
    path("auth/logout/", LogoutView.as_view(), name="logout"),
    path("auth/token/", TokenView.as_view(), name="token"),
    path("auth/users/", RegistrationView.as_view(), name="users"),
    path("auth/users/me/", CurrentUserView.as_view(), name="current-user"),
]
