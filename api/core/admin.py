"""What the admin's pages of all apps have in common."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import IntegrityError, models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from core.errors import DomainError, refusal_in_words


class ReadOnlyAdmin(admin.ModelAdmin):
    """Shows rows that nobody edits."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RefusingAdmin(admin.ModelAdmin):
    """Says in a message what a service or the database refuses. Nothing is changed then."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return _or_message(super().changeform_view, request, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return _or_message(super().delete_view, request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return _or_message(super().changelist_view, request, *args, **kwargs)


class ServiceAdmin(RefusingAdmin):
    """Writes through an app's services, so that a change here does all that the same change by API does.

    Subclasses say which services: `create`, `update`, and `remove` where deleting is more than deleting the
    row.
    """

    # What an object keeps from its creation on.
    fixed_fields: tuple[str, ...] = ()

    def create(self, request: HttpRequest, **fields: Any) -> models.Model:
        raise NotImplementedError

    def update(self, request: HttpRequest, instance: Any, **changes: Any) -> None:
        raise NotImplementedError

    def remove(self, request: HttpRequest, instance: Any) -> None:
        instance.delete()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        if change:
            # As it is stored: the form has written the new values into `obj`.
            stored = type(obj)._base_manager.get(pk=obj.pk)
            self.update(request, stored, **{name: form.cleaned_data[name] for name in form.changed_data})
        else:
            obj.pk = self.create(request, **form.cleaned_data).pk
        obj.refresh_from_db()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.remove(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        for instance in queryset:
            self.remove(request, instance)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fixed = self.fixed_fields if obj else ()
        return [*super().get_readonly_fields(request, obj), *fixed]

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Name what is deleted, and not the thousands of rows that may hang on it."""
        names = [f"{self.opts.verbose_name}: {each}, with everything in it" for each in objs]
        return names, {str(self.opts.verbose_name_plural): len(names)}, set(), []


def _or_message(
    page: Callable[..., HttpResponse], request: HttpRequest, *args: Any, **kwargs: Any
) -> HttpResponse:
    """Return the page, or the way back to it with a message that says what was refused."""
    try:
        return page(request, *args, **kwargs)
    except (DomainError, IntegrityError) as error:
        words = refusal_in_words(error)
        if words is None:
            raise
    messages.error(request, words)
    return HttpResponseRedirect(request.get_full_path())
