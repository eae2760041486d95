"""What log lines look like."""

import logging
import sys

from app.logs import LINE_LENGTH, trace_formatter


def test_line_has_bounded_length() -> None:
    """No line is longer than LINE_LENGTH, whatever a message or an error quotes."""
    try:
        raise ValueError("e" * 100_000)
    except ValueError:
        record = logging.makeLogRecord({"msg": "m" * 100_000, "exc_info": sys.exc_info()})
    lines = trace_formatter("app@1.2.3").format(record).split("\n")
    assert max(map(len, lines)) == LINE_LENGTH
    assert lines[-1].startswith("ValueError: eee")


def test_message_is_one_line() -> None:
    """A client can neither forge a line of the log nor write terminal codes into it."""
    record = logging.makeLogRecord({"msg": "Exception on /a\nforged \x1b[31m\u2028"})
    line = trace_formatter("app@1.2.3").format(record)
    assert line.endswith(r"Exception on /a\nforged \x1b[31m\u2028")


def test_development_server_keeps_its_colours() -> None:
    """Lines of `make run` have the colours and line breaks that Werkzeug gives them."""
    text = "\x1b[31mWARNING\x1b[0m\n * Running"
    record = logging.makeLogRecord({"name": "werkzeug", "msg": text})
    assert trace_formatter("app@1.2.3").format(record).endswith(text)
