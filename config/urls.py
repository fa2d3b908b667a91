"""Every address of the site; each room has its own."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

urlpatterns = [
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("", include("lists.urls")),
    path("", include("sync.urls")),
    path("", include("monitoring.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("config.api")),
]
