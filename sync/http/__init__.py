"""The one way out: whatever Listkeeper asks of the outside world goes through a Door, and nothing else opens a connection.

A Door belongs to one fetch of one service. It joins addresses, sends, checks what comes before anybody parses it, and says
what went wrong in the words of sync/errors.py.
"""

from sync.http.answers import Answer
from sync.http.bodies import API, CATALOGUE, Limits
from sync.http.calls import Validators
from sync.http.door import Door, Meter

__all__ = ["API", "CATALOGUE", "Answer", "Door", "Limits", "Meter", "Validators"]
