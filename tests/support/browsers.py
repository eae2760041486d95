"""Chromium, and the project with its sample users and posts as people see it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.servers import Project

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the system's Chromium until the block ends."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@dataclass
class Samples:
    """A served project with sample users and posts, and the password of susan, who is one."""

    url: str
    password: str

    def log_in(self, page: Page) -> None:
        """Log susan in."""
        page.goto("/auth/login")
        page.get_by_label("Username").fill("susan")
        page.get_by_label("Password").fill(self.password)
        page.get_by_role("main").get_by_role("button", name="Log in").click()


@contextmanager
def serving_samples(project: Project, folder: Path) -> Iterator[Samples]:
    """Serve a project with a new database in a folder until the block ends."""
    database = f"sqlite:///{folder}/samples.db"
    project.succeed("flask", "db", "upgrade", DATABASE_URL=database)
    password = project.succeed("flask", "seed", DATABASE_URL=database).split()[-1]
    with project.serving(DATABASE_URL=database) as gunicorn:
        yield Samples(gunicorn.url, password)
