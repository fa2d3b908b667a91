"""`python -m tests.sync.boot COMMAND`: manage.py with the sources of the tests, for tests of real processes."""

import os
import sys

import django
from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from tests import scripted  # noqa: E402, F401 - registers its adapters

execute_from_command_line(["manage.py", *sys.argv[1:]])
