"""The project's Makefile and the scripts in bin/ that it calls."""

import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.support.commands import IDENTITY, Shell
from tests.support.servers import Project, env_of, lend
from tests.support.template import ANSWERS, BODY, DSN, files

SCRIPTS = sorted(path for path in (BODY / "bin").iterdir() if path.suffix == "")
# What other tables of pyproject.toml may say.
OTHERS = '[[tool.uv.index]]\nname = "mirror"\n\n[tool.other]\nversion = "9.9.9"\n'
# A docker that notes its arguments, and prints a line for each.
DOCKER = """#!/bin/sh
echo "$*" >>"$(dirname "$0")/calls"
case $* in *UpdateStatus*) echo completed ;; *Replicas*) echo 2/2 ;; *) echo printed ;; esac
"""
# A curl that notes its arguments and its settings, and finds a release that serves.
CURL = """#!/bin/sh
case $* in *"--config -"*) cat >"$(dirname "$0")/settings" ;; esac
echo "$*" >>"$(dirname "$0")/calls"
echo '{"release":"microblog@1.2.3","status":"ok"}'
"""
# Where Sentry hears of a backup: the host, project and key of DSN are in the URL.
CHECK_IN = "https://o123.ingest.de.sentry.io/api/456/cron/microblog-backup/0123456789abcdef/"
PIP_VARIABLES = ("PREFIX", "PYTHON", "ROOT", "TARGET", "USER")


@pytest.fixture
def fresh(default_project: Path, tmp_path: Path) -> Shell:
    """Return a copy of the default project without `.env`."""
    project = Shell(shutil.copytree(default_project, tmp_path / "project"))
    project.variables["DOCKER_HOST"] = "tcp://127.0.0.1:1"  # nothing is deployed from here
    (project.folder / ".env").unlink()
    return project


@pytest.fixture
def docker(tmp_path: Path) -> str:
    """Return a PATH with a docker that does nothing, and a curl that reaches a host."""
    (tmp_path / "bin").mkdir()
    for name, script in (("docker", DOCKER), ("curl", CURL)):
        (tmp_path / "bin" / name).write_text(script)
        (tmp_path / "bin" / name).chmod(0o755)
    return f"{tmp_path}/bin:/usr/bin:/bin"


def test_recipes_are_short() -> None:
    """No recipe of the Makefile has more than five lines; longer ones are scripts."""
    makefile = (BODY / "Makefile").read_text("utf-8")
    recipes = re.findall(r"^(\S+):.*\n((?:\t.*\n)+)", makefile, re.M)
    assert [target for target, recipe in recipes if recipe.count("\n") > 5] == []


def test_help_is_grouped(fresh: Shell) -> None:
    """`make` lists the recipes in three groups, each under a line that names it."""
    listed = fresh.succeed("make")
    groups = re.findall(r"^(\w+)[^\n]*\n((?:  make .*\n?)+)", listed, re.M)
    assert [name for name, _ in groups] == ["Work", "Containers", "Releases"]


HABITS = {
    "it says what it does": r"#!/bin/sh\n# ",
    "it ends at the first command that fails": r".*\nset -eu\n",
    "only bin/common.sh changes the folder": r"(?!.*\bcd\b)",
    "it begins with bin/common.sh": r""".*(\n\. "\$\(dirname "\$0"\)/common\.sh"\n|"\$bin/)""",
}


@pytest.mark.parametrize("habit", HABITS)
def test_scripts_have_habits(habit: str) -> None:
    """Each script in bin/ has the habit."""
    texts = {script.name: script.read_text("utf-8") for script in SCRIPTS}
    assert [n for n, text in texts.items() if not re.match(HABITS[habit], text, re.S)] == []


def test_hook_has_the_locked_ruff(fresh: Shell) -> None:
    """After `make lock`, the commit hook and `make lint` run the same ruff."""
    hooks = fresh.folder / ".pre-commit-config.yaml"
    before = hooks.read_text("utf-8")
    hooks.write_text(re.sub('ruff==[^"]*', "ruff==0.1.0", before), "utf-8")
    uv = fresh.folder / ".venv/bin/uv"  # it finds that the pins are the newest
    uv.parent.mkdir(parents=True)
    uv.write_text("#!/bin/sh\n")
    uv.chmod(0o755)
    fresh.succeed("make", "--assume-old=.venv/dev", "lock")
    assert hooks.read_text("utf-8") == before


@pytest.mark.parametrize("shell", ["dash", "bash --posix"])
@pytest.mark.parametrize("place", ["before", "after"])
def test_project_reads_its_own_table(fresh: Shell, shell: str, place: str) -> None:
    """Names and versions of other tables, before or after [project], are not the project's."""
    pyproject = fresh.folder / "pyproject.toml"
    parts = [OTHERS, pyproject.read_text("utf-8")]
    pyproject.write_text("\n".join(parts if place == "before" else reversed(parts)), "utf-8")
    said = [
        fresh.succeed(*shell.split(), "bin/project", what) for what in ("name", "version", "image")
    ]
    assert said == ["microblog", ANSWERS["release"], ANSWERS["docker_image"]]


def test_missing_version_is_reported(fresh: Shell) -> None:
    """Where pyproject.toml has no version, bin/project says so and fails."""
    (fresh.folder / "pyproject.toml").write_text('[tool.other]\nversion = "9.9.9"\n', "utf-8")
    result = fresh.run("bin/project", "version")
    expected = "There is no version of the project in pyproject.toml.\n"
    assert (result.returncode, result.stderr) == (1, expected)


@pytest.mark.parametrize("shell", ["dash", "bash --posix"])
def test_cdpath_changes_no_backup(fresh: Shell, docker: str, tmp_path: Path, shell: str) -> None:
    """Where CDPATH is exported, a backup has what pg_dump prints and nothing else."""
    (tmp_path / "elsewhere/bin").mkdir(parents=True)
    backup = (*shell.split(), "bin/backup", "my.dump")
    fresh.succeed(*backup, PATH=docker, CDPATH=f"{tmp_path}/elsewhere:{fresh.folder}")
    assert (fresh.folder / "my.dump").read_text() == "printed\n"


@pytest.mark.slow
def test_seed_ignores_settings_of_other_projects(
    fresh: Shell, project: Project, tmp_path: Path
) -> None:
    """`make seed` works below a folder with a .flaskenv, and reads its own .env."""
    (tmp_path / ".flaskenv").write_text("FLASK_APP=elsewhere\nDATABASE_URL=invalid\n")
    lend(project.venv, fresh.folder)
    assert "Log in as " in fresh.succeed("make", "seed", FLASK_APP="microblog.py")


@pytest.fixture(scope="module")
def tiny(default_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Return a project that requires one small package, with an empty environment."""
    home = tmp_path_factory.mktemp("tiny")
    tiny = Shell(shutil.copytree(default_project, home / "project"))
    tiny.variables["HOME"] = str(home)
    prod = tiny.folder / "requirements/prod.txt"
    [blinker] = re.findall(r"^blinker==.*\n(?:    .*\n)+", prod.read_text("utf-8"), re.M)
    prod.write_text(blinker, "utf-8")
    tiny.succeed("make", ".venv/made")
    return tiny


@pytest.mark.slow
def test_mirrors_are_used(tiny: Shell, tmp_path: Path) -> None:
    """The indexes that a person has configured for pip, in a file or a variable, are used."""
    index, extra = "http://127.0.0.1:1/simple", "http://127.0.0.1:2/simple"
    (tmp_path / "pip.conf").write_text(f"[global]\nindex-url = {index}\n")
    configured = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_EXTRA_INDEX_URL": extra}
    log = tmp_path / "pip.log"
    install = ("make", "--assume-new=requirements/prod.txt", ".venv/prod")
    tiny.run(*install, PIP_LOG=str(log), PIP_RETRIES="0", **configured)
    assert f"Looking in indexes: {index}, {extra}" in log.read_text()


@pytest.mark.slow
def test_packages_go_into_the_environment(tiny: Shell, tmp_path: Path) -> None:
    """What pip is told for other projects does not move or drop the packages of this one."""
    variables = {f"PIP_{name}": str(tmp_path / name) for name in PIP_VARIABLES} | {"PIP_USER": "1"}
    (tmp_path / "pip.conf").write_text("[install]\nuser = true\n")
    tiny.succeed("make", ".venv/prod", **variables, PIP_CONFIG_FILE=str(tmp_path / "pip.conf"))
    tiny.succeed(".venv/bin/python", "-c", "import blinker")


@pytest.mark.slow
def test_moved_environment_is_made_anew(tiny: Shell, tmp_path: Path) -> None:
    """An environment is kept where it was made, and made anew in a folder that was moved."""
    assert tiny.run("make", "--question", ".venv/made").returncode == 0
    moved = Shell(shutil.copytree(tiny.folder, tmp_path / "moved", symlinks=True), tiny.variables)
    moved.succeed("make", ".venv/made")
    assert str(moved.folder) in moved.succeed("head", "-n", "1", ".venv/bin/pip")


@pytest.fixture
def cloned(fresh: Shell, tmp_path: Path) -> Shell:
    """Return a project in a git repository, with an environment that has pre-commit only."""
    fresh.commit()
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/pre-commit").symlink_to(Path(sys.executable).with_name("pre-commit"))
    lend(tmp_path / "venv", fresh.folder)
    return fresh


def hook_of(repository: Shell) -> Path:
    """Return the path of the hook that pre-commit installs."""
    return repository.folder / repository.succeed(
        "git", "rev-parse", "--git-path", "hooks/pre-commit"
    )


def test_hooks_are_installed_from_a_worktree(cloned: Shell, tmp_path: Path) -> None:
    """`make install` installs the git hook in a worktree, too."""
    cloned.succeed("git", "worktree", "add", "--quiet", "../worktree", **IDENTITY)
    worktree = Shell(tmp_path / "worktree", cloned.variables)
    lend(tmp_path / "venv", worktree.folder)
    worktree.succeed("make", "install")
    assert "pre-commit" in hook_of(worktree).read_text()


def test_hooks_path_is_respected(cloned: Shell) -> None:
    """Where git takes hooks from elsewhere, `make install` says so and succeeds."""
    cloned.succeed("git", "config", "core.hooksPath", "/my/hooks")
    assert "git takes them from /my/hooks" in cloned.succeed("make", "install")


def test_hooks_of_a_larger_repository_are_kept(cloned: Shell, tmp_path: Path) -> None:
    """In a subfolder of a repository, `make install` says that it installs no hook."""
    shutil.rmtree(cloned.folder / ".git")
    Shell(tmp_path).succeed("git", "init", "--quiet")
    assert "is not the root of its git repository" in cloned.succeed("make", "install")
    assert not hook_of(cloned).exists()


def test_hooks_need_a_repository(cloned: Shell) -> None:
    """Without a repository, `make install` quotes git and succeeds."""
    shutil.rmtree(cloned.folder / ".git")
    assert "No git hooks were installed: fatal: not a git" in cloned.succeed("make", "install")


def test_hooks_find_files_in_subfolders() -> None:
    """The patterns of pre-commit match the same files where the project is a subfolder."""
    config = yaml.safe_load((BODY / ".pre-commit-config.yaml").read_text("utf-8"))
    patterns = {hook["files"] for hook in config["repos"][0]["hooks"] if "files" in hook}
    for prefix in ("", "projects/blog/"):
        found = {p: {n for n in files(BODY) if re.search(p, prefix + n)} for p in patterns}
        assert all(found.values()), prefix


@pytest.mark.parametrize(
    "recipe", ["env", "release VERSION=1.0.0", "publish", "backup", "restore FILE=x", "image"]
)
def test_recipes_need_no_executable_files(fresh: Shell, recipe: str) -> None:
    """The recipes work in a project from a zip file, whose scripts are not executable."""
    for script in (fresh.folder / "bin").iterdir():
        script.chmod(0o644)
    result = fresh.run("make", *recipe.split())
    assert "ermission denied" not in result.stderr


def test_env_has_fresh_secrets(fresh: Shell) -> None:
    """`make env` writes both secrets in the format of the hook: 64 hexadecimal digits."""
    fresh.succeed("make", "env")
    env = env_of(fresh.folder)
    secrets = [env["SECRET_KEY"], env["POSTGRES_PASSWORD"]]
    assert [bool(re.fullmatch("[0-9a-f]{64}", secret)) for secret in secrets] == [True, True]


def test_env_is_private(fresh: Shell) -> None:
    """Only its owner can read the `.env` that `make env` writes."""
    fresh.succeed("make", "env")
    assert (fresh.folder / ".env").stat().st_mode & 0o777 == 0o600


def test_env_is_not_overwritten(fresh: Shell) -> None:
    """`make env` does not change an existing `.env`."""
    (fresh.folder / ".env").write_text("SECRET_KEY=mine\n", "utf-8")
    fresh.succeed("make", "env")
    assert (fresh.folder / ".env").read_text("utf-8") == "SECRET_KEY=mine\n"


def test_deploy_needs_env(fresh: Shell) -> None:
    """Without `.env`, bin/deploy says how to write one."""
    assert "there is no .env (run bin/env" in fresh.run("bin/deploy").stderr


@pytest.mark.parametrize(
    "url",
    [
        "",
        "www.example.com",
        "https://www.example.com/blog",
        "https://a b",
        "https://[::1]",
        "https://a.example\nPUBLIC_URL=https://b.example",
        "https://a.example,b.example",
        "https://a.example{$SECRET_KEY}",
    ],
)
def test_deploy_needs_public_url(fresh: Shell, url: str) -> None:
    """Without one PUBLIC_URL that Caddy can serve, bin/deploy says what is expected."""
    fresh.succeed("make", "env")
    (fresh.folder / ".env").write_text(f"PUBLIC_URL={url}\n", "utf-8")
    result = fresh.run("bin/deploy")
    assert result.stderr.startswith("Nothing was deployed: PUBLIC_URL is not valid: '")
    assert "(expected a URL without a path" in result.stderr


def test_restore_needs_a_file(fresh: Shell) -> None:
    """`make restore` without a file says that it expects one."""
    assert "expected the file to restore" in fresh.run("make", "restore").stderr


@pytest.fixture
def server(fresh: Shell, docker: str) -> Shell:
    """Return a project with its settings, whose docker does nothing."""
    fresh.succeed("make", "env")
    with (fresh.folder / ".env").open("a") as env:
        env.write("PUBLIC_URL=https://www.example.com\nBACKUP_HOOK=cp --target-directory=copies\n")
    fresh.variables |= {"PATH": docker, "DEPLOYER": "susan@laptop"}
    (fresh.folder / "copies").mkdir()
    return fresh


def test_second_deploy_is_refused(server: Shell) -> None:
    """While a deploy runs, another one says in one line who runs it, and since when."""
    running = "A deploy of 1.0.0 by susan@laptop runs since 2026-11-28 12:00:00 UTC."
    (server.folder / ".deploy.lock").write_text(running)
    result = server.run("flock", ".deploy.lock", "bin/deploy")
    assert (result.returncode, result.stderr) == (1, f"Nothing was deployed: {running}\n")


def test_deploys_are_recorded(server: Shell) -> None:
    """The record has the time, the person and the outcome of each deploy."""
    server.succeed("bin/deploy", "1.2.3")
    record = (server.folder / ".deploy.log").read_text("utf-8")
    started, ended = record.splitlines()
    assert re.fullmatch(r"\S+Z susan@laptop: A deploy of 1.2.3 started", started)
    assert ended.endswith("Z susan@laptop: 1.2.3 serves")


def test_interrupted_deploy_is_told(server: Shell) -> None:
    """A deploy begins with the last record, which says what became of the deploy before."""
    line = "2026-11-28T12:00:00Z susan: A deploy of 1.2.2 started"
    (server.folder / ".deploy.log").write_text(f"{line}\n")
    assert f"The last record: {line}\n" in server.succeed("bin/deploy", "1.2.3")


def test_failure_says_what_serves(server: Shell, tmp_path: Path) -> None:
    """The last line of a deploy that fails, and its record, have the outcome."""
    (tmp_path / "bin/docker").write_text(
        "#!/bin/sh\ncase $* in *upgrade*) exit 1 ;; *) echo microblog_web a:1.2.3 ;; esac\n"
    )
    outcome = "microblog@1.3.0 was not deployed: microblog@1.2.3 serves https://www.example.com."
    assert server.run("bin/deploy", "1.3.0").stderr.splitlines()[-1] == outcome
    assert (server.folder / ".deploy.log").read_text().endswith(f"{outcome}\n")


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        ("service ls", "Nothing was deployed: this Docker does not respond, or is not a manager"),
        ("db current", "The database did not say which schema it has."),
        ("stack deploy", "Docker did not accept the services of version 1.3.0."),
    ],
)
def test_refused_command_changes_nothing(
    server: Shell, tmp_path: Path, refused: str, said: str
) -> None:
    """If Docker or the database refuse a command, what serves is not rolled back."""
    (tmp_path / "bin/docker").write_text(
        f"""#!/bin/sh
        echo "$*" >>"$(dirname "$0")/calls"
        case $* in
        *"{refused}"*) exit 1 ;;
        "service ls"*) echo microblog_web a:1.2.3 ;;
        *) echo '(head)' ;;
        esac
        """
    )
    result = server.run("bin/deploy", "1.3.0")
    assert said in result.stderr
    calls = (tmp_path / "bin/calls").read_text()
    assert ("upgrade" in calls, "rollback" in calls) == (False, False)
    assert calls.count("stack deploy") == (refused == "stack deploy")


# A docker that changes the app, and ends the deploy when it has to remove what is not needed.
INTERRUPTING = """#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >>calls
case $* in
"service ls"*) echo microblog_web a:1.2.3 ;;
*"{json .Spec}"*) ls deployed || true ;;
"stack deploy"*) touch deployed ;;
"secret ls --filter"*) pkill -TERM -f 'bin/deploy 7.7.7' ;;
*UpdateStatus*) echo completed ;;
*Replicas*) echo 2/2 ;;
*) echo '(head)' ;;
esac
"""


def test_what_serves_stays(server: Shell, tmp_path: Path) -> None:
    """A deploy that is ended once its version serves does not take it back."""
    for name, text in (("docker", INTERRUPTING), ("curl", CURL.replace("1.2.3", "7.7.7"))):
        (tmp_path / "bin" / name).write_text(text)
    assert server.run("bin/deploy", "7.7.7").returncode
    assert "rollback" not in (tmp_path / "bin/calls").read_text()


# A docker whose answers depend on its arguments, and which notes those of a change.
SWARM = """#!/bin/sh
case $* in
*UpdateStatus*) echo completed ;;
*Replicas*) echo 2/2 ;;
*_db) echo postgres:18@sha256:abc ;;
*_web) echo a:0.9.0 ;;
"service ls"*) echo microblog_web a:0.9.0 ;;
*"{json .}"*) echo '{"Spec": "now", "PreviousSpec": "before"}' ;;
"secret ls"*) echo now; echo before; echo old ;;
*" rm "*) echo "$*" >>"$(dirname "$0")/calls" ;;
"stack deploy"*) echo "database $POSTGRES_MAJOR" >>"$(dirname "$0")/calls" ;;
*) echo printed ;;
esac
"""


@pytest.fixture
def swarm(server: Shell, tmp_path: Path) -> Shell:
    """Return a release's folder on a server where version 0.9.0 serves, with ten others."""
    (tmp_path / "bin/docker").write_text(SWARM)
    (server.folder / ".env").rename(tmp_path / ".env")
    (server.folder / ".env").symlink_to("../.env")
    for minor in range(9):
        (tmp_path / f"1.{minor}.0").mkdir()
    (tmp_path / "0.9.0").mkdir()
    server.folder = server.folder.rename(tmp_path / "1.2.3")
    return server


def test_unused_secrets_are_removed(swarm: Shell, tmp_path: Path) -> None:
    """A deploy removes the secrets that no service names, not even for a roll-back."""
    swarm.succeed("bin/deploy", "1.2.3")
    calls = (tmp_path / "bin/calls").read_text().splitlines()
    assert [call for call in calls if call.startswith("secret rm")] == ["secret rm old"]


def test_last_five_releases_are_kept(swarm: Shell, tmp_path: Path) -> None:
    """A deploy removes the folders of old versions, except the one that served before it."""
    swarm.succeed("bin/deploy", "1.2.3")
    kept = {path.name for path in tmp_path.glob("[0-9]*")}
    assert kept == {"0.9.0", "1.2.3", *(f"1.{minor}.0" for minor in range(4, 9))}


# A docker with images of the app, of its stack and of others, which notes what is removed.
IMAGES = """#!/bin/sh
case $* in
"images --quiet org/app") for id in app1 app1 app2 app3 app4 app5 app6 app7; do echo $id; done ;;
"ps --all"*stack*) for image in org/app:1.2.3 redis:8-alpine redis:8-alpine; do echo $image; done ;;
"images --quiet --filter dangling=true redis") echo redis1 ;;
images*) echo other ;;
"rmi "*) echo "$*" >"$(dirname "$0")/calls" ;;
esac
"""


def test_unneeded_images_are_removed(server: Shell, tmp_path: Path) -> None:
    """The last five images of the app stay, replaced ones of the stack go, and others stay."""
    (tmp_path / "bin/docker").write_text(IMAGES)
    server.succeed("sh", "deploy/prune.sh", "stack", "org/app")
    assert (tmp_path / "bin/calls").read_text() == "rmi app6 app7 redis1\n"


# A docker whose service has other settings after `docker stack deploy`. Swarm says nothing of them.
SILENT_SWARM = """#!/bin/sh
cd "$(dirname "$0")"
case $* in
"stack deploy"*) touch deployed ;;
*ContainerSpec}}*) echo "web $(ls deployed 2>/dev/null)" ;;
*UpdateStatus*) ;;
*Replicas*) echo 2/2 ;;
*) echo printed ;;
esac
"""


def test_deploy_waits_for_swarm(server: Shell, tmp_path: Path) -> None:
    """A deploy that changes a service is not done before Swarm has updated it."""
    (tmp_path / "bin/docker").write_text(SILENT_SWARM)
    deployed = server.run("bin/deploy", "1.2.3", TIMEOUT="1")
    assert "Version 1.2.3 is not healthy" in deployed.stderr


@pytest.mark.parametrize(("asked", "used"), [("", "18@sha256:abc"), ("18", "18")])
def test_database_keeps_its_image(swarm: Shell, tmp_path: Path, asked: str, used: str) -> None:
    """A deploy restarts the database for a newer image only if POSTGRES_MAJOR is set."""
    swarm.succeed("bin/deploy", "1.2.3", POSTGRES_MAJOR=asked)
    assert f"database {used}\n" in (tmp_path / "bin/calls").read_text()


@pytest.mark.parametrize(
    ("runs", "complaint"),
    [
        (99, "cannot read the data of 99, which runs (POSTGRES_MAJOR=99 keeps it)."),
        (17, "(POSTGRES_MAJOR=18 moves the data, POSTGRES_MAJOR=17 keeps it)."),
    ],
)
def test_other_major_of_postgresql_is_refused(
    server: Shell, tmp_path: Path, runs: int, complaint: str
) -> None:
    """A deploy changes the major of PostgreSQL only if it is told to."""
    (tmp_path / "bin/docker").write_text(
        f"#!/bin/sh\ncase $* in *_db) echo postgres:{runs} ;; *) echo a:1.2.3 ;; esac\n"
    )
    result = server.run("bin/deploy")
    assert (result.returncode, complaint in result.stderr) == (1, True), result.stderr


def test_status_marks_what_needs_a_person(server: Shell, tmp_path: Path) -> None:
    """`bin/status` marks a missing replica, another release than expected, and a missing backup."""
    (tmp_path / "bin/docker").write_text(
        "#!/bin/sh\ncase $* in *services*) echo web=1/2; echo db=1/1 ;; *) echo a:1.0.0 ;; esac\n"
    )
    (server.folder / ".deploy.log").write_text("2026-11-28T12:00:00Z susan: 1.0.0 serves\n")
    shown = server.run("bin/status")
    marked = [line[:7] for line in shown.stdout.splitlines() if line.startswith("!")]
    assert (shown.returncode, marked[:3]) == (1, ["! https", "! web=1", "! backu"])


@pytest.mark.parametrize(
    ("status", "days", "marks"),
    [("ok", 30, "  "), ("ok", 3, " !"), ("the schema is old", 30, "! ")],
)
def test_status_shows_the_schema_and_the_certificate(
    server: Shell, tmp_path: Path, status: str, days: int, marks: str
) -> None:
    """`bin/status` marks pending migrations, and a certificate that Caddy did not renew."""
    (tmp_path / "bin/docker").write_text("#!/bin/sh\necho a:1.2.3\n")
    ends = f"{datetime.now(UTC) + timedelta(days=days, hours=1):%b %d %H:%M:%S %Y} GMT"
    (tmp_path / "bin/curl").write_text(
        f"""#!/bin/sh\necho '{{"release":"microblog@1.2.3","status":"{status}"}}'\n"""
        f"case $* in *--verbose*) echo '*  expire date: {ends}' >&2 ;; esac\n"
    )
    readyz, certificate = server.run("bin/status").stdout.splitlines()[:2]
    assert readyz[0] + certificate[0] == marks
    assert certificate[2:] == f"certificate: {days} days left"


@pytest.mark.parametrize(
    ("registry", "said"),
    [
        ('{"Descriptor":{"digest":"sha256:new"}}', "  a newer redis:8-alpine is in the registry\n"),
        ('{"Descriptor":{"digest":"sha256:old"}}', ""),
        ('{"message":"connection refused"}', ""),
    ],
)
def test_status_shows_newer_images(server: Shell, tmp_path: Path, registry: str, said: str) -> None:
    """`bin/status` says if the registry has a newer image, and nothing if it cannot be asked."""
    (tmp_path / "bin/docker").write_text(
        """#!/bin/sh
        case $* in
        *services*) echo microblog_redis=1/1 ;;
        *_redis) echo redis:8-alpine@sha256:old ;;
        *) echo a:1.2.3 ;;
        esac
        """
    )
    curl = f"#!/bin/sh\ncase $* in */redis:8-alpine/json) echo '{registry}' ;; *) exit 7 ;; esac\n"
    (tmp_path / "bin/curl").write_text(curl)
    lines = server.run("bin/status").stdout.splitlines(keepends=True)
    assert "".join(line for line in lines if "registry" in line) == said


def test_status_says_who_deploys(server: Shell) -> None:
    """`bin/status` shows the deploy that runs at the moment."""
    running = "A deploy of 1.0.0 by susan@laptop runs since 2026-11-28 12:00:00 UTC."
    (server.folder / ".deploy.lock").write_text(running)
    assert f"  {running}\n" in server.run("flock", ".deploy.lock", "bin/status").stdout
    assert running not in server.run("bin/status").stdout


def backups(server: Shell) -> list[Path]:
    """Return the backups of a server, oldest first."""
    return sorted((server.folder / "backups").iterdir())


def test_backups_are_private(server: Shell) -> None:
    """Only its owner can read a backup."""
    server.succeed("bin/backup")
    assert [path.stat().st_mode & 0o777 for path in backups(server)] == [0o600]


def test_last_backups_are_kept(server: Shell) -> None:
    """A backup leaves the last 14 of its kind, and those of another kind."""
    (server.folder / "backups").mkdir()
    for kind in ("backup", "nightly"):
        for day in range(1, 21):
            (server.folder / f"backups/{kind}-202601{day:02}T030000Z.dump").touch()
    server.succeed("bin/backup")
    kinds = [path.name.partition("-")[0] for path in backups(server)]
    assert (kinds.count("backup"), kinds.count("nightly")) == (14, 20)


def test_name_of_backup_has_a_space(server: Shell) -> None:
    """`make backup` writes the file that FILE names, whatever is in the name."""
    server.succeed("make", "backup", "FILE=my backup.dump")
    assert (server.folder / "my backup.dump").exists()


def test_backup_needs_the_name_of_a_file(server: Shell) -> None:
    """A folder is refused, because each backup in it would get the same name."""
    refused = server.run("make", "backup", "FILE=migrations")
    assert "migrations is a folder" in refused.stderr


@pytest.mark.parametrize("signal", ["INT", "TERM"])
def test_interrupted_backup_leaves_no_file(server: Shell, tmp_path: Path, signal: str) -> None:
    """An interrupted backup leaves no part of the database in a file."""
    interrupt = f"case $* in *pg_dump*) kill -{signal} $PPID ;; esac\n"
    (tmp_path / "bin/docker").write_text(f"#!/bin/sh\n{interrupt}echo printed\n")
    assert server.run("bin/backup").returncode == 1
    assert backups(server) == []


def test_hook_gets_the_backup(server: Shell) -> None:
    """The command BACKUP_HOOK gets the name of the file, for example to copy it away."""
    server.succeed("bin/backup")
    copies = [path.name for path in (server.folder / "copies").iterdir()]
    assert copies == [path.name for path in backups(server)]


@pytest.mark.parametrize(("hook", "status"), [("true", "ok"), ("false", "error")])
def test_nightly_backup_is_checked_in(
    server: Shell, tmp_path: Path, hook: str, status: str
) -> None:
    """Sentry's cron monitor hears whether a nightly backup and its hook succeeded."""
    env = server.folder / ".env"
    settings = env.read_text().replace("cp --target-directory=copies", hook)
    env.write_text(settings.replace("SENTRY_DSN=\n", f"SENTRY_DSN={DSN}\n"))
    server.run("bin/backup", KIND="nightly")
    call = (tmp_path / "bin/calls").read_text().splitlines()[-1]
    assert f'"status": "{status}"' in call
    assert (tmp_path / "bin/settings").read_text() == f'url = "{CHECK_IN}"\n'
    assert CHECK_IN not in call  # everybody on a machine sees the arguments of a process


def test_unreadable_database_is_not_replaced(server: Shell, tmp_path: Path) -> None:
    """A database that does not say whether it has rows is not replaced."""
    (tmp_path / "bin/docker").write_text(
        "#!/bin/sh\ncase $* in *pg_dump*) exit 1 ;; *) echo printed ;; esac\n"
    )
    (server.folder / "good.dump").touch()
    result = server.run("bin/restore", "good.dump")
    assert result.stderr.startswith("The database has rows, or cannot be read, so it was not")


def test_failed_restore_commits_nothing(server: Shell, tmp_path: Path) -> None:
    """After a damaged backup, the transaction is not committed."""
    (tmp_path / "bin/docker").write_text(
        """#!/bin/sh
        case $* in
        *pg_restore*) exit 1 ;;
        *DROP*) exit 3 ;;
        *" psql "*) cat >$(dirname $0)/sql ;;
        *) echo printed ;;
        esac
        """
    )
    (server.folder / "damaged.dump").touch()
    result = server.run("bin/restore", "damaged.dump", FORCE="1")
    assert "damaged.dump is damaged, or the database did not accept it." in result.stderr
    assert "COMMIT" not in (tmp_path / "bin/sql").read_text()
