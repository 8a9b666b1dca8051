"""Addresses of the shop: Oscar's storefront and dashboard, its REST API, and our few additions."""

from django.apps import apps
from django.contrib.staticfiles.views import serve
from django.http import HttpResponse
from django.urls import include, path, re_path

urlpatterns = [
    path("health/", lambda _request: HttpResponse("ready\n", content_type="text/plain")),
    path("i18n/", include("django.conf.urls.i18n")),
    # Outside /api/, where oscarapi opens a basket for every visitor without one.
    path("platform/", include("platform_api.urls")),
    path("api/", include("oscarapi.urls")),
    # A single-process shop on the loopback serves its own assets.
    re_path(r"^static/(?P<path>.*)$", serve, {"insecure": True}),
    path("", include(apps.get_app_config("oscar").urls[0])),
]
