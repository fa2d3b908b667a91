"""Back to an earlier version, and letting the sources speak again about what that holds."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from lists import services
from lists.errors import Pruned
from lists.views.access import frame, newest, number, open_list, refusals_told
from lists.views.history import version_of
from lists.views.posted import tell

MISSING_SHOWN = 50


@login_required
def restore_version(request: HttpRequest, pk: int, n: int) -> HttpResponse:
    """What going back to a version would change; posted, the list goes back.

    The body names the newest version that the person has seen. If another has come since, nothing is changed, and the
    page shows what going back would do now.
    """
    list_ = open_list(request, pk, need="editor")
    to = version_of(list_, n)
    if request.method == "POST":
        with refusals_told(request):
            made = services.rollback(list_, to, by=request.user, seen=number(request.POST.get("seen")))
            said = f"The list is what it was in version {n}. This is version {made.number}." if made else ""
            tell(request, list_, made, said, otherwise=f"The list shows version {n} already. Nothing was changed.")
            return redirect("lists:changes", pk)
        return redirect("lists:restore_version", pk, n)
    context = frame(request, list_, "changes") | {"version": to, "newest": newest(list_), "preview": None}
    try:
        preview = services.preview_rollback(list_, to)
        context |= {"preview": preview, "missing": preview.missing[:MISSING_SHOWN]}
    except Pruned:
        pass  # the page says that it is too old
    return render(request, "lists/restore.html", context)


@login_required
@require_POST
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the sources speak again wherever a rollback holds what the list shows."""
    list_ = open_list(request, pk, need="editor")
    with refusals_told(request):
        made = services.release(list_, by=request.user)
        said = f"The sources speak again. This is version {made.number}." if made else ""
        tell(request, list_, made, said, otherwise="No rollback holds anything here. Nothing was changed.")
    return redirect("lists:changes", pk)
