from django.contrib.admin.apps import AdminConfig


class ListkeeperAdminConfig(AdminConfig):
    default_site = "config.admin.ListkeeperAdmin"
