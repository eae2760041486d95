"""Log lines on standard error, each with its release and trace."""

import logging
import re
from collections.abc import Mapping
from copy import copy
from typing import Any

from flask import has_request_context

from app.sentry import trace_id

log = logging.getLogger(__name__)

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
LINE_LENGTH = 4000  # characters, at most 16,000 bytes: Docker splits a line after 16 KiB


class TraceFormatter(logging.Formatter):
    """A formatter that adds `_trace_id` to records: the trace id in Sentry, or a dash."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of `record`, each line cut to `LINE_LENGTH`.

        Control characters in its message are escaped, so that no client can forge a line.
        """
        record = copy(record)  # others handle the record, too
        if record.name != "werkzeug":  # which escapes what clients send, and colours its lines
            record.msg = CONTROL.sub(lambda found: repr(found[0])[1:-1], record.getMessage())
            record.args = None
        record._trace_id = (has_request_context() and trace_id()) or "-"
        lines = super().format(record).split("\n")
        return "\n".join(
            line if len(line) <= LINE_LENGTH else f"{line[: LINE_LENGTH - 3]}..." for line in lines
        )


def trace_formatter(release: str) -> logging.Formatter:
    """Return a formatter that writes time, level, logger, release, trace and message."""
    release = release.replace("%", "%%")
    return TraceFormatter(
        f"%(asctime)s %(levelname)s %(name)s [{release} %(_trace_id)s] %(message)s"
    )


def configure_logging(config: Mapping[str, Any]) -> None:
    """Log from `LOG_LEVEL` up, unless logging is configured already."""
    handler = logging.StreamHandler()  # standard error: a command may print SQL
    handler.setFormatter(trace_formatter(config["SENTRY_RELEASE"]))
    logging.basicConfig(level=config["LOG_LEVEL"], handlers=[handler])
    # urllib3 warns three times for each event that Sentry does not accept.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    # Alembic logs six lines about its plugins at each start.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    for error in config["TELEMETRY_ERRORS"]:
        off = error.startswith("SENTRY_DSN")
        log.error("%s %s", error, "Sentry is off." if off else "The default is used instead.")
