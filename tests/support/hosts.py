"""A bare host that Ansible reaches by SSH, with a registry and a fake Sentry in its network."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import requests

from tests.support import sentry_api
from tests.support.commands import HERE, docker
from tests.support.servers import free_port, responds, wait_for
from tests.support.template import TEMPLATE

NAME = "microblog-rehearsal"
# What the stack needs from Docker Hub; the host gets it from the registry beside it.
BASE_IMAGES = ("caddy:2", "postgres:18", "redis:8-alpine")
PRIVILEGED = (
    "--privileged",
    "--cgroupns=host",
    *("--volume", "/sys/fs/cgroup:/sys/fs/cgroup"),
    *("--volume", "/var/lib/docker"),
    *("--volume", "/var/lib/containerd"),
    *("--tmpfs", "/run"),
)
KEYS = "/home/deploy/.ssh/authorized_keys"
# What a node has, and what its docker says.
STRANGER = """cd /usr/bin
for name in cron curl unattended-upgrade docker; do
    echo '#!/bin/sh' >$name
    chmod +x $name
done
cat >>docker <<'END'
echo '{info}'
END
"""


@dataclass
class Host:
    """The host and what is beside it."""

    address: str
    registry: str
    sentry: str
    key: str
    name: str = "host"

    def run(self, *command: str) -> str:
        """Run a command on the host, without SSH, and return what it prints."""
        return docker("exec", f"{NAME}-{self.name}", *command)

    def records(self) -> sentry_api.Json:
        """Return what the fake Sentry recorded."""
        return requests.get(f"{self.sentry}/records", timeout=10).json()

    def renew(self, image: str) -> None:
        """Let the registry have a newer image under a name of Docker Hub."""
        copy = f"{self.registry}/library/{image}"
        newer = f"FROM {image}\nLABEL newer=yes\n"
        build = HERE.run("docker", "build", "--quiet", "--tag", copy, "-", stdin=newer)
        assert build.returncode == 0, build.stderr
        docker("push", "--quiet", copy)
        docker("rmi", copy)

    def known_hosts(self) -> str:
        """Return the host's public key, as a person gets it before the first deploy."""
        return public_key(self.address)

    def admit_root(self) -> None:
        """Let the key log in as root, too."""
        self.run("sh", "-c", f"mkdir -pm 700 /root/.ssh && cp {KEYS} /root/.ssh")

    @contextmanager
    def another(self) -> Iterator["Host"]:
        """Run another bare host with the same registry and the same key, and yield it."""
        run("new", *PRIVILEGED, f"{NAME}-host")
        try:
            new = replace(self, address=address("new"), name="new")
            own_registry("new", self.registry.partition(":")[2])
            new.run("sh", "-c", f"echo '{self.run('cat', KEYS)}' >{KEYS} && chown deploy: {KEYS}")
            wait_for(new.known_hosts, "the SSH server")
            yield new
        finally:
            for name in ("registry-of-new", "new"):
                HERE.run("docker", "rm", "--force", "--volumes", f"{NAME}-{name}")

    @contextmanager
    def stranger(self) -> Iterator[str]:
        """Run a host that says that it is in another swarm, and yield its address."""
        run("stranger", f"{NAME}-host")
        try:
            info = json.dumps({"Swarm": {"NodeID": "stranger", "LocalNodeState": "active"}})
            docker("exec", f"{NAME}-stranger", "sh", "-c", STRANGER.format(info=info))
            docker(
                "exec", f"{NAME}-stranger", "sh", "-c", f"echo '{self.run('cat', KEYS)}' >{KEYS}"
            )
            docker("exec", f"{NAME}-stranger", "chown", "deploy:", KEYS)
            here = address("stranger")
            wait_for(lambda: public_key(here), "the SSH server")
            yield here
        finally:
            HERE.run("docker", "rm", "--force", f"{NAME}-stranger")


@contextmanager
def bare_host(folder: Path) -> Iterator[Host]:
    """Run the host, the registry and Sentry until the block ends."""
    port = str(free_port())
    remove()
    try:
        docker("build", "--quiet", "--tag", f"{NAME}-host", TEMPLATE / "tests/support/host")
        docker("network", "create", NAME)
        run("host", *PRIVILEGED, "--publish", f"127.0.0.1:{port}:{port}", f"{NAME}-host")
        own_registry("host", port)
        fill_registry(port)
        key = allow_key(folder)
        host = Host(address("host"), f"localhost:{port}", run_sentry(), key)
        wait_for(host.known_hosts, "the SSH server")
        yield host
    finally:
        remove()


def run(name: str, *arguments: str | Path) -> None:
    """Start a container in the network."""
    network = () if "--network" in arguments else ("--network", NAME)
    docker("run", "--detach", "--init", "--name", f"{NAME}-{name}", *network, *arguments)


def own_registry(host: str, port: str) -> None:
    """Run a registry at localhost of a host, whose Docker asks it for images of Docker Hub, too."""
    shared = ("--network", f"container:{NAME}-{host}", "--volume", f"{NAME}:/var/lib/registry")
    run(f"registry-of-{host}", *shared, "--env", f"REGISTRY_HTTP_ADDR=:{port}", "registry:2")
    mirror = json.dumps({"registry-mirrors": [f"http://localhost:{port}"]})
    docker("exec", f"{NAME}-{host}", "sh", "-c", f"echo '{mirror}' >/etc/docker/daemon.json")


def fill_registry(port: str) -> None:
    """Push what the stack needs from Docker Hub, as this machine reaches the registry as well."""
    wait_for(lambda: responds(f"http://localhost:{port}/v2/"), "the registry")
    for image in BASE_IMAGES:
        copy = f"localhost:{port}/library/{image}"
        docker("tag", image, copy)
        docker("push", "--quiet", copy)
        docker("rmi", copy)


def allow_key(folder: Path) -> str:
    """Make an SSH key that may log in to the host, and return it."""
    HERE.succeed("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / "key")
    docker("cp", folder / "key.pub", f"{NAME}-host:{KEYS}")
    docker("exec", f"{NAME}-host", "chown", "deploy:", KEYS)
    return (folder / "key").read_text()


def run_sentry() -> str:
    """Run the fake Sentry, and return its URL, which the host and this machine can reach."""
    script = ("--volume", f"{Path(sentry_api.__file__)}:/sentry_api.py:ro")
    run("sentry", *script, "python:3.14-slim", "python", "/sentry_api.py", "8000")
    url = f"http://{address('sentry')}:8000"
    wait_for(lambda: responds(f"{url}/records"), "the fake Sentry")
    return url


def public_key(address: str) -> str:
    """Return the public key of a host as a line of known_hosts, or nothing."""
    return HERE.run("ssh-keyscan", "-t", "ed25519", address).stdout


def address(name: str) -> str:
    """Return the IP address of a container."""
    networks = docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", f"{NAME}-{name}")
    return str(json.loads(networks)[NAME]["IPAddress"])


def remove() -> None:
    """Remove what a rehearsal runs, also if it was interrupted."""
    for name in ("stranger", "sentry", "registry-of-new", "new", "registry-of-host", "host"):
        HERE.run("docker", "rm", "--force", "--volumes", f"{NAME}-{name}")
    HERE.run("docker", "volume", "rm", NAME)
    HERE.run("docker", "network", "rm", NAME)
