from django.urls import path

from segments.views import SegmentByUuidView

urlpatterns = [
    path("segments/get-by-uuid/<uuid:uuid>/", SegmentByUuidView.as_view(), name="segment-by-uuid"),
]
