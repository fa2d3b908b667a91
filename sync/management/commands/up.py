"""`manage.py up`: sets everything up, then runs the web server and the worker until one of them or a person stops it."""

import errno
import http.client
import secrets
import signal
import socket
import sys
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import OperationalError, connections

from sync.children import STOPS, Child, stop

START_S = 60  # for the first page; a small machine needs some ten seconds

LEGIBLE = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that reads like something else: 16 of these are 79 bits


def check_port(address: str, port: int) -> None:
    """Ends the program if the port cannot be opened: better now than after the set-up."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except PermissionError:
        sys.exit(f"Port {port} is for administrators. Set LISTKEEPER_PORT to one above 1023.")
    except OSError as e:
        if e.errno == errno.EADDRINUSE:
            other = port + 80 if port + 80 <= 65_535 else 8080
            sys.exit(
                f"Port {port} is taken. Set LISTKEEPER_PORT to another one, for example "
                f"LISTKEEPER_PORT={other} make run."
            )
        sys.exit(
            f"This machine cannot listen at {address}. Set LISTKEEPER_ADDRESS to 127.0.0.1, or to 0.0.0.0 to be "
            "reached from other machines."
        )


def reachable_host(address: str) -> str:
    """Where this machine itself reaches a server that listens at the address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104


def answers(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(reachable_host(address), port, timeout=10)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Command(BaseCommand):
    help = "Sets up the database, the static files and a first user, then runs the web server and the worker."
    requires_system_checks = []  # migrate runs them

    def handle(self, *args: Any, **options: Any) -> None:
        # One way to be stopped, during the set-up and after it.
        for number in STOPS:
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup, or a shell that keeps its Ctrl-C to itself
                signal.signal(number, signal.default_int_handler)
        try:
            check_port(settings.ADDRESS, settings.PORT)
            self.set_up()
            self.run()
        except KeyboardInterrupt:
            self.say("Listkeeper has stopped.")

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()  # a log file should show it at once

    @property
    def url(self) -> str:
        host = {"127.0.0.1": "localhost", "::1": "localhost"}.get(reachable_host(settings.ADDRESS), settings.ADDRESS)
        return f"http://[{host}]:{settings.PORT}/" if ":" in host else f"http://{host}:{settings.PORT}/"

    def set_up(self) -> None:
        self.say("Preparing the database and the pages")
        try:
            call_command("migrate", interactive=False, verbosity=0)
        except OperationalError as e:
            reason = str(e).strip().splitlines()[0]
            sys.exit(f"The database does not answer: {reason}. Check DATABASE_URL, then start again.")
        call_command("collectstatic", interactive=False, verbosity=0)
        if not get_user_model().objects.exists():
            self.first_user()
            if settings.DEMO:
                call_command("demo")
        connections.close_all()  # the children open their own

    def first_user(self) -> None:
        """Makes "admin" and shows the password, which is kept nowhere else."""
        password = "-".join("".join(secrets.choice(LEGIBLE) for _ in range(4)) for _ in range(4))
        get_user_model().objects.create_superuser("admin", password=password)
        line = "-" * 64
        self.say(
            f"\n{line}\n  Sign in at {self.url}\n\n    user      admin\n    password  {password}\n\n"
            f"  This password is shown once. Change it after signing in.\n{line}\n"
        )

    def run(self) -> None:
        address = f"[{settings.ADDRESS}]" if ":" in settings.ADDRESS else settings.ADDRESS
        application = ":".join(settings.WSGI_APPLICATION.rsplit(".", 1))
        children: list[Child] = []
        try:
            children.append(Child(
                "web server", "-m", "gunicorn", application, "--bind", f"{address}:{settings.PORT}",
                "--workers", "2", "--threads", "4", "--timeout", "60", "--graceful-timeout", "20",
                "--log-level", "warning", "--no-control-socket", folder=settings.BASE_DIR,
            ))  # fmt: skip
            children.append(Child("worker", "manage.py", "worker", folder=settings.BASE_DIR))
            self.wait_for_page(children)
            self.say(f"Listkeeper runs at {self.url} (Ctrl-C stops it)")
            while True:
                for child in children:
                    child.check()
                time.sleep(0.5)
        finally:
            stop(children)

    def wait_for_page(self, children: list[Child]) -> None:
        deadline = time.monotonic() + START_S
        while not answers(settings.ADDRESS, settings.PORT):
            for child in children:
                child.check()
            if time.monotonic() > deadline:
                sys.exit(f"The web server did not answer within {START_S} seconds; the lines above may say why.")
            time.sleep(0.2)
