"""`python -m tests.sync.boot COMMAND`: manage.py with the sources of the tests, for tests of real processes.

`python -m tests.sync.boot talk` does what it is told, line by line: Python as a JSON string, answered by the value of
`answer` as JSON. `tests.sync.boot:application` is the web.
"""

import json
import os
import sys
import traceback

import django
from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django_q.conf import Conf  # noqa: E402

from tests import held, scripted, way_out  # noqa: E402, F401 - registers its adapters

settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a request of the API checks a password
way_out.watch(free=True)
application = get_wsgi_application()


class Hurried(float):
    """A pause of the task queue's guard that counts as half a minute, after which it looks at its schedules."""

    def __radd__(self, counted: float) -> float:
        return counted + 30


if os.environ.get("HURRIED"):
    Conf.GUARD_CYCLE = Hurried(Conf.GUARD_CYCLE)


def talk() -> None:
    known: dict = {}
    for line in sys.stdin:
        try:
            known["answer"] = None
            exec(json.loads(line), known)
            print(json.dumps({"answer": known["answer"]}, default=str), flush=True)
        except BaseException:
            print(json.dumps({"broke": traceback.format_exc()}), flush=True)
        connection.close()


if __name__ == "__main__":
    held.install()
    if sys.argv[1:] == ["talk"]:
        talk()
    else:
        execute_from_command_line(["manage.py", *sys.argv[1:]])
