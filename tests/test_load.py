"""The image within its limits while very many people log in at once, and during attacks."""

import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from statistics import median
from threading import Event

import pytest
import requests
import yaml
from pytest_cookies.plugin import Cookies

from tests.support.servers import wait_for
from tests.support.template import BODY
from tests.support.visitors import PASSWORD, csrf_token
from tests.test_attacks import ATTACKS, Proxy

pytestmark = [pytest.mark.slow, pytest.mark.containers, pytest.mark.usefixtures("engine")]

PEOPLE = 100
PATIENCE = 60  # seconds for a response, which may wait for 12 others
ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
GUNICORN = (BODY / "gunicorn.conf.py").read_text("utf-8")
DOCKERFILE = (BODY / "Dockerfile").read_text("utf-8")
[HEALTH_TIMEOUT] = map(int, re.findall(r"HEALTHCHECK .*--timeout=(\d)s", DOCKERFILE))
[MEMORY] = map(int, re.findall(r"less than (\d+) MB", GUNICORN))
# This prints a number ten times a second. The first file is of cgroup v1, the second of v2.
USED_MEMORY = """
while sleep 0.1; do
  sed -nE 's/^(total_rss|anon) //p' /sys/fs/cgroup/memory/memory.stat /sys/fs/cgroup/memory.stat
done 2>/dev/null"""


@dataclass
class Stack(Proxy):
    """The containers of compose.yaml, behind the Caddy of the servers."""

    web: str = ""
    app: str = ""

    def compose(self, *arguments: str) -> str:
        """Run a docker compose command that must succeed, and return what it prints."""
        return self.succeed(
            "docker", "compose", "-f", "compose.yaml", "-f", "load.yaml", *arguments
        )

    def container(self, service: str) -> str:
        """Return the id of the container of a service."""
        return self.compose("ps", "--quiet", service)

    def workers(self) -> list[str]:
        """Return the process ids of gunicorn and its workers, and when they began."""
        processes = self.succeed("docker", "top", self.web, "-eo", "pid,lstart,args").splitlines()
        return [process for process in processes if "-m app" in process]

    @contextmanager
    def watching_memory(self) -> Iterator[list[int]]:
        """Yield a list that has, after the block, the bytes that the app used at each moment."""
        used: list[int] = []
        command = ("docker", "exec", self.web, "timeout", "300", "sh", "-c", USED_MEMORY)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield used
            finally:
                process.terminate()
                used += map(int, (process.stdout or []))


@pytest.fixture(scope="module")
def stack(engine: None, cookies_session: Cookies) -> Iterator[Stack]:
    """Run a project with compose.yaml's limits."""
    answers = {"project_slug": "microblog-load-under-test", "browser_tracing": True}
    baked = cookies_session.bake(extra_context=answers)
    folder: Path = baked.project_path
    swarm = yaml.safe_load((folder / "deploy/compose.swarm.yaml").read_text("utf-8"))
    caddy = swarm["services"]["caddy"]
    del caddy["ports"]
    database = {"DATABASE_URL": "postgresql://app:load@db/app", "TRUSTED_PROXIES": "1"}
    services = {
        "web": {"build": ".", "environment": database},
        "db": {"environment": {"POSTGRES_PASSWORD": "load"}},
        "caddy": {**caddy, "environment": {"PUBLIC_URL": "http://localhost"}},
    }
    config = {"caddyfile": {"file": "deploy/Caddyfile"}}
    load = {"services": services, "configs": config, "volumes": {"caddy": {}}}
    (folder / "load.yaml").write_text(yaml.safe_dump(load), "utf-8")
    stack = Stack(folder)
    try:
        stack.compose("up", "--detach", "--wait", "db", "redis")
        stack.compose("run", "--rm", "web", "flask", "db", "upgrade")
        stack.compose("up", "--detach", "web", "caddy")
        stack.web, stack.name = map(stack.container, ("web", "caddy"))
        web, stack.address = (
            stack.succeed("docker", "inspect", "--format", ADDRESS, name)
            for name in (stack.web, stack.name)
        )
        stack.app = f"http://{web}:8000"
        wait_for(stack.serves, "the app behind Caddy")
        yield stack
    finally:
        stack.compose("down", "--volumes", "--rmi", "local", "--timeout", "1")


@dataclass
class Person:
    """Somebody with an IP address of their own, who tries again as often as the site asks to."""

    number: int
    site: str
    busy: int = 0

    def __post_init__(self) -> None:
        """Open a browser."""
        self.browser = requests.Session()
        self.move(self.number)

    def move(self, number: int) -> None:
        """Get another IP address."""
        address = f"198.18.{number // 250 % 250}.{number % 250}"
        self.browser.headers["X-Forwarded-For"] = address

    def token(self, path: str) -> str:
        """Return the token of a form."""
        return csrf_token(self.browser.get(self.site + path, timeout=PATIENCE))

    def submit(self, path: str, **form: str) -> int:
        """Fill in and submit a form until the site has time for it, and return the status."""
        url = self.site + path
        data = {**form, "csrf_token": self.token(path)}
        while True:
            page = self.browser.post(url, data=data, timeout=PATIENCE, allow_redirects=False)
            if page.status_code not in (429, 503):
                return page.status_code
            self.busy += 1
            time.sleep(int(page.headers["Retry-After"]))

    def hash_passwords(self) -> list[int]:
        """Register, log in, and change the password if it is the turn; return the statuses."""
        name = f"person{self.number}"
        account = {"username": name, "email": f"{name}@example.com", **PASSWORD}
        statuses = [self.submit("/auth/register", **account)]
        self.browser.cookies.clear()
        statuses.append(self.submit("/auth/login", **account))
        new = dict.fromkeys(PASSWORD, "battery staple")
        if self.number % 3 == 0:
            change = {"current_password": PASSWORD["password"], **new}
            statuses.append(self.submit("/account/password", **change))
        return statuses


@contextmanager
def timing(*urls: str) -> Iterator[dict[str, list[float]]]:
    """Yield the seconds that each response of each URL takes until the block ends."""
    seconds: dict[str, list[float]] = {url: [] for url in urls}
    ended = Event()

    def measure(url: str) -> None:
        while not ended.wait(0.2):
            start = time.monotonic()
            response = requests.get(url, headers={"Host": "localhost"}, timeout=PATIENCE)
            seconds[url].append(time.monotonic() - start)
            assert response.status_code == 200, url

    with ThreadPoolExecutor(len(urls)) as pool:
        measured = pool.map(measure, urls)
        try:
            yield seconds
        finally:
            ended.set()
        list(measured)
    for url, taken in seconds.items():
        print(f"\n{url}: median {median(taken):.2f} s, slowest {max(taken):.2f} s")


def test_first_view_is_small(stack: Stack) -> None:
    """A first view of the timeline takes at most 60 kB on the wire, with all that it loads."""
    password = stack.compose("exec", "web", "flask", "seed").split()[-1]
    susan = Person(0, stack.app)
    assert susan.submit("/auth/login", username="susan", password=password) == 302
    cookies = "; ".join(f"{name}={value}" for name, value in susan.browser.cookies.items())
    headers = {"Host": "localhost", "Accept-Encoding": "gzip, zstd", "Cookie": cookies}

    def on_the_wire(path: str) -> int:
        with requests.get(stack.url + path, headers=headers, timeout=PATIENCE, stream=True) as sent:
            return len(sent.raw.read(decode_content=False))

    page = requests.get(stack.url, headers=headers, timeout=PATIENCE).text
    assert page.count("<article") == 25
    paths = {"", *re.findall(r'(?:href|src)="/(static/[^"#]+)', page)}
    sizes = {path: on_the_wire(path) for path in paths}
    print(sizes)
    assert sum(sizes.values()) <= 60_000


@pytest.mark.rehearsal
def test_everybody_logs_in_at_once(stack: Stack) -> None:
    """A hundred people register and log in at once within the sum of memory in gunicorn.conf.py.

    No worker dies, and everybody succeeds in the end, while health checks and a stranger's page
    are served.
    """
    before = stack.workers()
    assert len(before) == 3  # gunicorn and two workers
    health, page = f"{stack.app}/healthz", f"{stack.app}/auth/login"
    people = [Person(number, stack.app) for number in range(PEOPLE)]
    with (
        stack.watching_memory() as used,
        timing(health, page) as seconds,
        ThreadPoolExecutor(PEOPLE) as pool,
    ):
        statuses = {*chain(*pool.map(Person.hash_passwords, people))}
    peak = max(used) // 1_000_000
    print(f"{peak} MB of {MEMORY}, {sum(person.busy for person in people)} times busy")
    assert (statuses, stack.workers()) == ({302}, before)
    assert peak < MEMORY
    assert max(seconds[health]) < HEALTH_TIMEOUT
    assert median(seconds[page]) < 1


@pytest.mark.rehearsal
def test_page_is_served_during_all_attacks(stack: Stack, attackers: ExitStack) -> None:
    """Pages come within a second during guesses, forged origins and stalled bodies at once."""
    ended = Event()

    def guess(number: int) -> None:
        person = Person(number, stack.app)
        login = {"username": "susan", "csrf_token": person.token("/auth/login")}
        for attempt in count():
            person.move(number + 24 * attempt)  # a limit counts the guesses of a network
            login["password"] = str(attempt)
            person.browser.post(f"{stack.app}/auth/login", data=login, timeout=PATIENCE)
            if ended.wait(0.1):
                return

    def forge(_: int) -> None:
        headers = {"Host": "localhost", "Origin": "http://["}
        while not ended.wait(0.1):
            response = requests.post(f"{stack.url}auth/login", headers=headers, timeout=PATIENCE)
            assert response.status_code == 400

    stack.attack(attackers, *ATTACKS["stalled bodies"])
    stack.serves()  # TCP may repeat a packet after 1 s, until Caddy has accepted all connections
    with ThreadPoolExecutor(32) as pool:
        working = [pool.submit(act, n) for n, act in enumerate([guess] * 24 + [forge] * 8)]
        try:
            with timing(f"{stack.url}readyz", stack.url) as seconds:
                time.sleep(10)
        finally:
            ended.set()
        for work in working:
            work.result()
    assert max(map(median, seconds.values())) < 1


def test_parallel_guesses_are_counted(stack: Stack) -> None:
    """Of 80 guesses at an account that arrive at once from one network, at most 10 are checked."""
    person = Person(0, stack.app)
    login = {"username": "nobody", "password": "guess", "csrf_token": person.token("/auth/login")}

    def guess(_: int) -> bool:
        cookies, headers = person.browser.cookies, person.browser.headers
        url = f"{stack.app}/auth/login"
        page = requests.post(url, login, cookies=cookies, headers=headers, timeout=PATIENCE)
        return "Wrong username or password" in page.text

    with ThreadPoolExecutor(80) as pool:
        assert 1 <= sum(pool.map(guess, range(80))) <= 10


@pytest.mark.parametrize(
    ("fault", "repair"),
    [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    ],
    ids=["full", "read-only"],
)
def test_guesses_are_counted_without_redis(stack: Stack, fault: str, repair: str) -> None:
    """While Redis cannot store anything, workers count for themselves, and pages are served."""
    person = Person(1, stack.app)
    login = {"username": fault, "password": "guess", "csrf_token": person.token("/auth/login")}
    redis = ("exec", "redis", "redis-cli")
    stack.compose(*redis, *fault.split())
    try:
        pages = [
            person.browser.post(f"{stack.app}/auth/login", login, timeout=PATIENCE)
            for _ in range(25)
        ]
    finally:
        stack.compose(*redis, *repair.split())
    assert [page.status_code for page in pages[:10]] == [200] * 10
    assert pages[-1].status_code == 429
