"""Log lines on standard output, each with its release and trace."""

import logging
import sys
from collections.abc import Mapping
from typing import Any

from flask import has_request_context

from app.sentry import trace_id


class TraceFormatter(logging.Formatter):
    """A formatter that adds `_trace_id` to records: the trace id in Sentry, or a dash."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the formatted line of `record`."""
        record._trace_id = (has_request_context() and trace_id()) or "-"
        return super().formatMessage(record)


def trace_formatter(release: str) -> logging.Formatter:
    """Return a formatter that writes time, level, logger, release, trace and message."""
    release = release.replace("%", "%%")
    return TraceFormatter(
        f"%(asctime)s %(levelname)s %(name)s [{release} %(_trace_id)s] %(message)s"
    )


def configure_logging(config: Mapping[str, Any]) -> None:
    """Log from `LOG_LEVEL` up, unless logging is configured already."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(trace_formatter(config["SENTRY_RELEASE"]))
    logging.basicConfig(level=config["LOG_LEVEL"], handlers=[handler])
    # urllib3 warns three times for each event that Sentry does not accept.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    # Alembic logs six lines about its plugins at each start.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
