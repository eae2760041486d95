"""Settings of gunicorn, which reads this file by itself."""

import os

import sentry_sdk

# A setting that the app cannot run with ends the master with its line, instead of each worker.
preload_app = True
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = 4
max_requests = 5000  # a leak of memory ends with its worker
max_requests_jitter = 1000  # workers do not start anew all at once
timeout = 30  # seconds
graceful_timeout = 20  # seconds; less than what Compose and Swarm wait before SIGKILL
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
control_socket_disable = True
forwarded_allow_ips = ""  # the app alone decides, by TRUSTED_PROXIES
accesslog = "-"
# The path without its query, which may hold what belongs in no log.
access_log_format = (
    '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms request="%({x-request-id}i)s" trace=%({x-trace-id}o)s'
)


def worker_exit(server: object, worker: object) -> None:
    """Send what waits for Sentry, which gets 2 s by itself, and in Python 3.12 no thread."""
    sentry_sdk.flush(timeout=graceful_timeout / 2)
