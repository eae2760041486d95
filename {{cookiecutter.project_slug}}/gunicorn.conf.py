"""The settings of gunicorn, which reads this file by itself."""

import os
from typing import Any

import sentry_sdk
from gunicorn.glogging import Logger, SafeAtoms
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import BadRequest

from app.config import Config
from app.errors import refuse
from app.sentry import init_sentry

settings = Config()
wsgi_app = "wsgi:app"
bind = f"0.0.0.0:{settings.PORT}"
# What runs at once must stay below what the container has, 512 MB in compose.yaml. A worker needs
# 90 MB, 24 threads 0.5 MB each, and the hashes of app/auth/passwords.py 2 x 32 MB: 166 MB. Two
# workers and the master, which shares most of its memory with them, take less than 400 MB.
workers = settings.WEB_CONCURRENCY
# Threads that wait for the database (10 connections, app/config.py) or for a hash (12,
# app/auth/passwords.py) leave some for other pages. Only a proxy that buffers requests protects
# from more slow clients than there are threads.
threads = 24
preload_app = True  # invalid settings end the master with one message, instead of each worker
max_requests = 5000  # a worker that leaks memory is replaced
max_requests_jitter = 1000  # so that workers are not all replaced at once
timeout = 30  # seconds
graceful_timeout = 20  # seconds, less than Compose and Swarm wait before SIGKILL
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
control_socket_disable = True
forwarded_allow_ips = ""  # only TRUSTED_PROXIES decides which proxies are trusted
accesslog = "-"
# %(U)s is the path without its query, which may hold secrets.
access_log_format = (
    '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms request="%({x-request-id}i)s" trace=%({x-trace-id}o)s'
)


class EscapedAtoms(SafeAtoms):
    """The values of a line in the access log, without line breaks and terminal codes."""

    def __init__(self, atoms: dict[str, object]) -> None:
        """Escape what the client sent. The path is decoded, so `%0a` is a line break there."""
        super().__init__(
            {
                name: value.encode("unicode_escape").decode() if isinstance(value, str) else value
                for name, value in atoms.items()
            }
        )


class logger_class(Logger):  # noqa: N801 gunicorn's name of the setting
    """gunicorn's logger with `EscapedAtoms`."""

    atoms_wrapper_class = EscapedAtoms


def post_worker_init(worker: Any) -> None:
    """Start Sentry anew, so that each worker decides for itself whether it profiles."""
    init_sentry(worker.wsgi.config)
    # A malformed chunked body is the client's error. Without a handler it would be a crash.
    worker.wsgi.register_error_handler(ParseException, lambda error: refuse(BadRequest()))


def worker_exit(server: object, worker: object) -> None:
    """Send what is pending. On Python 3.12, the SDK cannot do so at exit.

    Docker kills after 10 s. Before this, kept connections take up to 2; after it, the master may
    send for 2 s what it has.
    """
    sentry_sdk.get_client().close(timeout=3.5)
