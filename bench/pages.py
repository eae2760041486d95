"""Measure what pages cost the workers, of three apps that each run as their owners run them.

The project runs with its gunicorn.conf.py. So does a bare Flask app that returns the same bytes
from memory. Where GRINBERG names a checkout of github.com/miguelgrinberg/microblog that has its
requirements in `venv`, that app runs with the options of its boot.sh, which mean one worker
without threads, and with the same rows. All write access logs. They take turns, so that other
load on the machine affects each of them.
"""

import os
import re
import sqlite3
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import requests

from bench.report import Table, progress
from bench.visits import QUIET, Site, log_in, seeded_project, served, site_of
from tests.support.commands import Shell
from tests.support.servers import Project, env_of, free_port, serving

USER = "id, username, email, password_hash"
PAGES = {"timeline": "/", "log-in page": "/auth/login"}
OURS, BARE, TUTORIAL = "this app", "bare Flask", "miguelgrinberg/microblog"
# The bare app has the project's settings, but not their functions, which use the project's app.
BARE_APP = """
from pathlib import Path
from flask import Flask

app = Flask(__name__)
for page in Path(__file__).parent.glob("*.html"):
    app.add_url_rule(f"/{page.stem}", page.stem, lambda body=page.read_bytes(): body)
app.add_url_rule("/healthz", "healthz", lambda: "ok")
"""
BARE_SETTINGS = """
from runpy import run_path
settings = run_path("gunicorn.conf.py").items()
globals().update({name: value for name, value in settings if not callable(value)})
wsgi_app = "bare:app"
"""
SIZES = (5_000, 60)  # posts; with 5,000, the seed lets susan follow 49 accounts, and 7 with 60
COLUMNS = ["page", "posts", "app", "least", "median", "interquartile range", "median / bare Flask"]

Views = dict[str, tuple[Site, str]]  # a page's name, to the visitor's site and the path


def run(quick: bool) -> list[Table]:
    """Measure, and return the table."""
    rows = [row for size in SIZES for row in measure(size, 4 if quick else 20)]
    return [Table("Milliseconds of the workers' CPU for one request, on SQLite", COLUMNS, rows)]


def measure(size: int, rounds: int) -> list[list[str]]:
    """Return the rows of a table for a project with that many posts."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        progress(f"bakes, installs and seeds the project with {size} posts")
        project, password = seeded_project(Path(folder), size)
        ours = servers.enter_context(served(project))
        log_in(ours, password)
        bare = servers.enter_context(served_bare(project, ours, Path(folder) / "bare"))
        sites = {OURS: views_of(ours), BARE: bare}
        if checkout := os.environ.get("GRINBERG"):
            tutorial = served_tutorial(Path(checkout), project, password)
            sites[TUTORIAL] = views_of(servers.enter_context(tutorial))
        pages = list(PAGES) if size == SIZES[0] else ["timeline"]
        return [row for page in pages for row in compare_cpu(sites, page, size, rounds)]


def views_of(site: Site) -> Views:
    """Return the pages of a site. The log-in page is for visitors who are not logged in."""
    return {
        page: (site if path == "/" else replace(site, cookies={}), path)
        for page, path in PAGES.items()
    }


def compare_cpu(sites: dict[str, Views], page: str, size: int, rounds: int) -> list[list[str]]:
    """Return the CPU time of a page in each app, and in comparison to the bare app."""
    spent: dict[str, list[float]] = {name: [] for name in sites}
    for number in range(-1, rounds):  # the first round only warms up
        progress(f"{page}: round {number + 1} of {rounds}")
        for name, views in sites.items():
            site, path = views[page]
            figure = site.cpu(path, 100)
            spent[name] += [figure] if number >= 0 else []
    rows = []
    for name, figures in spent.items():
        low, middle, high = statistics.quantiles(figures)
        ratio = middle / statistics.median(spent[BARE])
        times = [f"{time:.2f}" for time in (min(figures), middle, high - low)]
        rows.append([page, f"{size:,}", name, *times, f"{ratio:.1f}"])
    return rows


@contextmanager
def served_bare(project: Project, ours: Site, folder: Path) -> Iterator[Views]:
    """Serve the same pages by an app that does nothing else."""
    folder.mkdir()
    paths = {page: f"/{page.split()[0]}" for page in PAGES}
    for page, (site, path) in views_of(ours).items():
        response = requests.get(site.url + path, cookies=site.cookies, timeout=10)
        (folder / f"{paths[page][1:]}.html").write_bytes(response.content)
    (folder / "bare.py").write_text(BARE_APP, "utf-8")
    (folder / "settings.py").write_text(BARE_SETTINGS, "utf-8")
    variables = {**project.variables, **env_of(project.folder), "PYTHONPATH": str(folder)}
    options = ("--config", folder / "settings.py")
    with served_by(project.venv, Shell(project.folder, variables | QUIET), options) as site:
        yield {page: (site, path) for page, path in paths.items()}


@contextmanager
def served_tutorial(checkout: Path, project: Project, password: str) -> Iterator[Site]:
    """Serve the tutorial's app on a copy of the project's rows."""
    database = project.folder / "tutorial.db"
    variables = {"PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{database}"}
    shell = Shell(checkout, variables | {"FLASK_APP": "microblog.py", "LOG_TO_STDOUT": "1"})
    shell.succeed(checkout / "venv/bin/flask", "db", "upgrade")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("ATTACH ? AS ours", [str(project.folder / "instance/app.db")])
        for table, columns, source in (
            ("user", f"{USER}, about_me, last_seen", "user JOIN ours.profile ON user_id = id"),
            ("post", "id, body, timestamp, user_id", "post"),
            ("followers", "follower_id, followed_id", "followers"),
        ):
            rows = f"SELECT {columns} FROM ours.{source}"  # noqa: S608
            connection.execute(f'INSERT INTO main."{table}" ({columns}) {rows}')
        connection.commit()
    [line] = re.findall(r"^exec gunicorn -b :5000 (.+)$", (checkout / "boot.sh").read_text(), re.M)
    options = line.replace("logfile -", f"logfile {os.devnull}").split()
    with served_by(checkout / "venv", shell, options, "/auth/login", workers=1) as site:
        log_in(site, password)
        yield site


@contextmanager
def served_by(
    venv: Path,
    shell: Shell,
    options: Sequence[str | Path],
    health: str = "/healthz",
    workers: int = 2,
) -> Iterator[Site]:
    """Serve another app than the project."""
    address = f"127.0.0.1:{free_port()}"
    command = (venv / "bin/gunicorn", "--bind", address, *options)
    with serving(shell, command, f"http://{address}", health) as gunicorn:
        yield site_of(gunicorn, workers)
