"""Measure what pages cost the workers, and how connections spread over them.

Beside the app runs a bare Flask app that returns the same bytes from memory. Where GRINBERG names a
checkout of github.com/miguelgrinberg/microblog that has its requirements in `venv`, that app runs
too, with the same rows. They take turns, so that other load on the machine affects each of them.
"""

import os
import sqlite3
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import requests

from bench.report import Table, progress
from bench.visits import QUIET, Site, log_in, seeded_project, served, site_of
from tests.support.commands import Shell
from tests.support.servers import Project, free_port, serving

PAGES = {"timeline": "/", "log-in page": "/auth/login"}
OURS, BARE, TUTORIAL = "this app", "bare Flask", "miguelgrinberg/microblog"
# wsgi.py of the bare app, which has the settings of gunicorn from the project.
BARE_APP = """
from pathlib import Path
from flask import Flask

app = Flask(__name__)
for page in Path(__file__).parent.glob("*.html"):
    app.add_url_rule(f"/{page.stem}", page.stem, lambda body=page.read_bytes(): body)
app.add_url_rule("/healthz", "healthz", lambda: "ok")
"""
POSTS = 5_000  # with these, the seed lets susan follow 49 accounts
CONNECTIONS = 8
RUNS = 10


def run(quick: bool) -> list[Table]:
    """Measure, and return the tables."""
    rounds, count = (4, 100) if quick else (20, 100)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        progress("bakes, installs and seeds the project")
        project, password = seeded_project(Path(folder), POSTS)
        ours = servers.enter_context(served(project))
        log_in(ours, password)
        bare = servers.enter_context(served_bare(project, ours, Path(folder) / "bare"))
        sites = {OURS: views_of(ours), BARE: bare}
        if checkout := os.environ.get("GRINBERG"):
            sites[TUTORIAL] = views_of(
                servers.enter_context(served_tutorial(Path(checkout), project, password))
            )
        return [compare_cpu(sites, rounds, count), spread(sites[OURS]["log-in page"][0])]


Views = dict[str, tuple[Site, str]]  # a page's name, to the visitor's site and the path


def views_of(site: Site) -> Views:
    """Return the pages of a site. The log-in page is for visitors who are not logged in."""
    return {
        page: (site if path == "/" else replace(site, cookies={}), path)
        for page, path in PAGES.items()
    }


def compare_cpu(sites: dict[str, Views], rounds: int, count: int) -> Table:
    """Return the CPU time of each page in each app, and in comparison to the bare app."""
    rows = []
    for page in PAGES:
        spent: dict[str, list[float]] = {name: [] for name in sites}
        for number in range(-1, rounds):  # the first round only warms up
            progress(f"{page}: round {number + 1} of {rounds}")
            for name, views in sites.items():
                site, path = views[page]
                figure = site.cpu(path, count)
                spent[name] += [figure] if number >= 0 else []
        for name, figures in spent.items():
            low, middle, high = statistics.quantiles(figures)
            ratio = middle / statistics.median(spent[BARE])
            row = [page, name, f"{min(figures):.2f}", f"{middle:.2f}", f"{high - low:.2f}"]
            rows.append([*row, f"{ratio:.1f}"])
    title = "Milliseconds of the workers' CPU for one request (SQLite, 25 posts, 49 followed)"
    columns = ["page", "app", "least", "median", "interquartile range", "median / bare Flask"]
    return Table(title, columns, rows)


def spread(site: Site) -> Table:
    """Return in how many runs both workers served some of the connections that clients keep."""
    busy = 0
    for _ in range(RUNS):
        before = site.cpu_of_workers()
        site.visit("/auth/login", 20 * CONNECTIONS, clients=CONNECTIONS)
        used = [now - then for now, then in zip(site.cpu_of_workers(), before, strict=True)]
        busy += min(used) > max(used) / 10
    title = f"Runs in which {CONNECTIONS} kept connections kept both workers busy"
    return Table(title, ["runs", "both busy"], [[str(RUNS), str(busy)]])


@contextmanager
def served_bare(project: Project, ours: Site, folder: Path) -> Iterator[Views]:
    """Serve the same pages by an app that does nothing else."""
    folder.mkdir()
    for page, (site, path) in views_of(ours).items():
        response = requests.get(site.url + path, cookies=site.cookies, timeout=10)
        (folder / f"{page.split()[0]}.html").write_bytes(response.content)
    (folder / "bare.py").write_text(BARE_APP, "utf-8")
    with served_by(project.venv, Shell(folder), "bare:app") as site:
        yield {page: (site, f"/{page.split()[0]}") for page in PAGES}


@contextmanager
def served_tutorial(checkout: Path, project: Project, password: str) -> Iterator[Site]:
    """Serve the tutorial's app on a copy of the project's rows."""
    database = project.folder / "tutorial.db"
    variables = {"PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{database}"}
    shell = Shell(checkout, {**variables, "FLASK_APP": "microblog.py", "LOG_TO_STDOUT": "1"})
    shell.succeed(checkout / "venv/bin/flask", "db", "upgrade")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("ATTACH ? AS ours", [str(project.folder / "instance/app.db")])
        for table, columns in {
            "user": "id, username, email, password_hash, about_me, last_seen",
            "post": "id, body, timestamp, user_id",
            "followers": "follower_id, followed_id",
        }.items():
            rows = f'SELECT {columns} FROM ours."{table}"'  # noqa: S608
            connection.execute(f'INSERT INTO main."{table}" ({columns}) {rows}')
        connection.commit()
    with served_by(checkout / "venv", shell, "microblog:app", health="/auth/login") as site:
        log_in(site, password)
        yield site


@contextmanager
def served_by(venv: Path, shell: Shell, app: str, health: str = "/healthz") -> Iterator[Site]:
    """Serve another app with the workers and threads of the project."""
    address = f"127.0.0.1:{free_port()}"
    options = ("--workers", "2", "--threads", "4", "--preload", "--bind", address)
    shell.variables |= QUIET
    command = (venv / "bin/gunicorn", *options, app)
    with serving(shell, command, f"http://{address}", health) as gunicorn:
        yield site_of(gunicorn)
