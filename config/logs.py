"""Lines of the log, without what could be a login in the addresses that stand in them."""

import logging

from lists import credentials


class Line(logging.Formatter):
    """Tracebacks included: libraries put whole addresses into their exceptions."""

    def format(self, record: logging.LogRecord) -> str:
        return credentials.blank(super().format(record), streams=True)
