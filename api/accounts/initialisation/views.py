"""Making the first superuser in a browser, or by one request."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.views import View
from django.views.generic import FormView

from accounts.initialisation.forms import InitialisationForm
from accounts.initialisation.links import password_link
from accounts.initialisation.services import (
    AlreadyInitialisedError,
    create_first_superuser,
    is_initialised,
    name_site,
)
from core.errors import InvalidInput, refusal_in_words


class InitialisationFormView(FormView):
    """The page that a new installation begins with. It is there until there is a user."""

    form_class = InitialisationForm
    template_name = "accounts/initialisation.html"
    http_method_names = ["get", "head", "post"]

    def dispatch(self, request: HttpRequest, *args: object, **path: object) -> HttpResponseBase:
        if is_initialised():
            raise Http404
        return super().dispatch(request, *args, **path)

    def get_initial(self) -> dict[str, str]:
        return {"site_name": "Burgee", "site_domain": self.request.get_host()}

    def form_valid(self, form: InitialisationForm) -> HttpResponse:
        given = form.cleaned_data
        try:
            user = create_first_superuser(
                given["email"], username=given["username"], password=given["password"]
            )
        except AlreadyInitialisedError as error:  # somebody else was faster
            raise Http404 from error
        name_site(name=given["site_name"], domain=given["site_domain"])
        answer = {
            "message": f"The superuser {user.email} can sign in at "
            f"{self.request.build_absolute_uri(reverse('admin:login'))}"
        }
        if not given["password"]:
            answer["passwordResetUrl"] = password_link(user, self.request)
            answer["message"] += " once the password is chosen by the link below."
        return JsonResponse(answer)


class InitialisationByVariablesView(View):
    """Makes the superuser that the environment names, for those who can only send a request."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        if not settings.ALLOW_ADMIN_INITIATION_VIA_URL:
            raise Http404
        try:
            user = create_first_superuser(
                settings.ADMIN_EMAIL,
                username=settings.ADMIN_USERNAME,
                password=settings.ADMIN_INITIAL_PASSWORD,
            )
        except (AlreadyInitialisedError, InvalidInput) as error:
            refusal = {"adminUserCreated": False, "message": refusal_in_words(error)}
            return JsonResponse(refusal, status=error.status_code)
        answer: dict[str, object] = {"adminUserCreated": True}
        if not user.has_usable_password():
            answer["passwordResetUrl"] = password_link(user, request)
        return JsonResponse(answer, status=201)
