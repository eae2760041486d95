"""The settings of gunicorn, which reads this file by itself."""

import os

import sentry_sdk

from app.config import Config

wsgi_app = "wsgi:app"
bind = "0.0.0.0:8000"
workers = Config().WEB_CONCURRENCY
# More than the connections to the database (app/config.py): while all of these wait, and while
# some clients send slowly, threads remain for others. Only a proxy that buffers requests protects
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


def worker_exit(server: object, worker: object) -> None:
    """Flush pending events. At exit the SDK waits 2 s, and on Python 3.12 cannot start a thread."""
    sentry_sdk.flush(timeout=graceful_timeout / 2)
