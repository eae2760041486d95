"""Settings of gunicorn, which reads this file by itself."""

import os

# A setting that the app cannot run with ends the master with its line, instead of each worker.
preload_app = True
workers = int(os.environ.get("WEB_CONCURRENCY") or 2)
threads = 4
timeout = 30  # seconds
graceful_timeout = 20  # seconds; less than what Compose and Swarm wait before SIGKILL
accesslog = "-"
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
control_socket_disable = True
