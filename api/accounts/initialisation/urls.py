from django.urls import path

from accounts.initialisation.views import InitialisationByVariablesView, InitialisationFormView

urlpatterns = [
    path("users/config/init/", InitialisationFormView.as_view(), name="initialisation"),
    path("users/init/", InitialisationByVariablesView.as_view(), name="initialisation-by-variables"),
]
