"""Log lines on stdout, each with the release and the trace it belongs to."""

import logging
import sys
from collections.abc import Mapping
from typing import Any

from flask import has_request_context

from app.sentry import trace_id


class TraceFormatter(logging.Formatter):
    """A formatter that knows the trace in Sentry as `_trace_id`; a dash where there is none."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The line of `record`."""
        record._trace_id = (has_request_context() and trace_id()) or "-"
        return super().formatMessage(record)


def trace_formatter(release: str) -> logging.Formatter:
    """What makes a line of a record: time, level, logger, release, trace, message."""
    release = release.replace("%", "%%")
    return TraceFormatter(
        f"%(asctime)s %(levelname)s %(name)s [{release} %(_trace_id)s] %(message)s"
    )


def configure_logging(config: Mapping[str, Any]) -> None:
    """Log what `config` asks for, unless somebody set up logging before."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(trace_formatter(config["SENTRY_RELEASE"]))
    logging.basicConfig(level=config["LOG_LEVEL"], handlers=[handler])
    # While Sentry is away, urllib3 would warn three times of each event.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)  # six lines of nothing
