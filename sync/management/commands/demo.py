"""`manage.py demo`: lists to play with, brought in by the importer like anybody's."""

from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lists import services
from lists.models import MediaList, Proposal
from sync import tasks, uploads
from sync.models import Run

FILES = Path(__file__).resolve().parent.parent.parent / "demo"


class Command(BaseCommand):
    help = "Makes two demo lists, films and a tracklist, each with a past: uploads them as a person would."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", help="whose lists they become; the first administrator if left out")

    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model().objects.order_by("id")
        wanted = {"username": options["user"]} if options["user"] else {"is_superuser": True}
        user = users.filter(**wanted).first()
        if user is None:
            raise CommandError("There is no such user. Make one with: manage.py createsuperuser")
        films = self.bring(user, "films-may.csv", name="Films to watch", source="IMDb watchlist")
        self.bring(user, "films-june.csv", list_=films)
        self.bring(user, "watchlist.json", list_=films, source="Trakt watchlist")
        services.change_list(films, by=user, description="A demo: made-up films from two sources.", tags=["demo"])
        night = self.bring(user, "harbour-night.cue", name="Harbour Night", source="CUE sheet")
        self.bring(user, "harbour-night-corrected.cue", list_=night)
        services.change_list(night, by=user, description="A demo: a set from a CUE sheet.", tags=["demo"])

    def bring(
        self, user: Any, filename: str, *, list_: MediaList | None = None, name: str = "", source: str = ""
    ) -> MediaList:
        body = (FILES / filename).read_bytes()
        proposal = uploads.start(body, by=user, filename=filename, list_=list_, list_name=name)
        tasks.prepare_upload(proposal.pk)
        proposal.refresh_from_db()
        if proposal.state != Proposal.State.OPEN:
            raise CommandError(f"{filename}: {proposal.error}")
        run = uploads.confirm(proposal, by=user, source_name=source)
        tasks.execute_run(run.pk)
        run.refresh_from_db()
        if run.state != Run.State.COMPLETED:
            raise CommandError(f"{filename}: {run.error}")
        self.stdout.write(f"{run.list.name}: {run.added} came, {run.updated} changed, {run.removed} left")
        return run.list
