from django.urls import path

from accounts.token_api.views import AuthenticateView, TokenUserView

urlpatterns = [
    path("user", TokenUserView.as_view(), name="token-user"),
    path("authenticate", AuthenticateView.as_view(), name="authenticate"),
]
