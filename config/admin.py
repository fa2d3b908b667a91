"""The admin's front page: what there is in the words of the site, not by Python package."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

GROUPS = {
    "Lists": ("MediaList", "Source", "Entry", "Edit", "Item", "Version", "Provenance"),
    "To decide": ("Proposal", "Conflict", "Block", "Decision"),
    "Runs and tasks": ("Run", "Schedule", "OrmQ", "Success", "Failure"),
    "Site": ("SitePolicy", "User", "Group", "Account", "Audit"),
}


class ListkeeperAdmin(AdminSite):
    site_header = site_title = "Listkeeper"
    index_title = "Administration"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Every model that the user may see, in groups; one that no group names stands under its own package."""
        apps = super().get_app_list(request, app_label)
        if app_label:
            return apps
        models = {model["object_name"]: model for app in apps for model in app["models"]}
        groups = [
            {
                "name": name,
                "app_label": name.lower().replace(" ", "-"),
                "app_url": "",
                "has_module_perms": True,
                "models": [models[each] for each in members if each in models],
            }
            for name, members in GROUPS.items()
        ]
        grouped = {each for members in GROUPS.values() for each in members}
        others = [{**app, "models": [m for m in app["models"] if m["object_name"] not in grouped]} for app in apps]
        return [group for group in (*groups, *others) if group["models"]]
