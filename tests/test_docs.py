"""The documents: their commands are tested, their links lead somewhere."""

import json
import re
from pathlib import Path

import pytest

from bench.report import Table
from tests.support.template import BODY, TEMPLATE

FOLDERS = (TEMPLATE, TEMPLATE / "bench", BODY, BODY / "deploy")
DOCUMENTS = [path for folder in FOLDERS for path in folder.glob("*.md")]
README = (TEMPLATE / "README.md").read_text("utf-8")
# A fork has a name of its own in both READMEs, and perhaps another host.
[SOURCE] = re.findall(r"^    uvx cookiecutter (\S+)$", README, re.MULTILINE)
# The test that runs each command of a code block, or why none does.
COMMANDS = {
    "uvx cookiecutter org/template": "test_answers_are_recorded",
    "cd microblog": "test_closing_message_quotes_the_folder",
    "make demo": "test_demo_survives_an_interrupt",
    "make demo SENTRY_DSN=https://...": "not run: the account is yours",
    "make bench": "not run: it takes a quarter of an hour",
    "make test-fast": "not run: it would run this test",
    "make test": "test_first_day_is_green",
    "make lint": "test_first_day_is_green",
    "make bake": "test_enter_takes_the_defaults",
    "make release VERSION=1.0.0": "test_release_is_tagged",
    "make release VERSION=1.3.0": "test_release_is_committed_and_tagged",
    "git push origin HEAD v1.3.0": "test_release_prints_the_command_that_pushes_it",
    "make pictures": "not run: it takes minutes, and its pictures are looked at",
    "make rehearse": "test_tag_reaches_a_bare_host",
    "make publish sentry-release": "test_tag_reaches_a_bare_host",
    "make ship VERSION=1.3.0 HOSTS=203.0.113.5 PUBLIC_URL=https://www.example.com": (
        "test_tag_reaches_a_bare_host"
    ),
    "make sentry-deploy": "test_tag_reaches_a_bare_host",
    "make seed": "not run by itself: benchmarks and the project's tests run flask seed",
    "make run": "test_first_day_is_green",
    "docker compose up --build": "test_broken_route_shows_in_spotlight",
    "docker compose exec web flask seed": "not run by itself: the project's tests run flask seed",
    "python -m venv .venv": "not run: desktops.yml runs it",
    ".venv/bin/pip install --require-hashes -r requirements/dev.txt": "not run: as above",
    "cp .env.example .env": "not run: make env is tested instead",
    'python -c "import secrets; print(secrets.token_hex())"': "not run: it is Python's own",
    ".venv/bin/flask db upgrade": "test_first_day_is_green",
    "rm -r app/blog tests/blog": "test_example_is_thrown_out",
    '.venv/bin/flask db migrate -m "Remove the Microblog"': "test_example_is_thrown_out",
    '.venv/bin/flask db migrate -m "Add notes"': "test_first_day_is_green",
    ".venv/bin/flask run": "test_broken_route_shows_in_spotlight",
    ".venv/bin/pytest": "test_own_tests_pass",
    "make assets": "test_script_is_small",
    "make install": "test_first_day_is_green",
    "make format": "test_first_day_is_green",
    "docker swarm init": "test_scaling_fails_no_request",
    "docker node update --label-add db=true --label-add proxy=true NODE": (
        "test_missing_label_is_reported"
    ),
    "bin/deploy": "test_release_fails_no_request",
    "make backup": "test_backup_outlives_the_volume",
    "make restore FILE=backups/backup-<time>.dump": "test_backup_outlives_the_volume",
    "az vm create --resource-group GROUP --name NAME --image Ubuntu2404 --tags app=NAME"
    " --admin-username azureuser --generate-ssh-keys"
    " && az vm open-port --resource-group GROUP --name NAME --port 80,443": (
        "not run: it needs an account of Azure"
    ),
    "make watch": "test_watch_takes_a_crashing_release_back",
    "make status HOSTS=203.0.113.5": "test_status_names_what_serves",
    "ssh root@OLD docker service scale NAME_web=0": "test_site_moves_to_another_host",
    "ssh root@OLD 'cd /opt/NAME/current && bin/backup /root/move.dump'": (
        "test_site_moves_to_another_host"
    ),
    "scp -3 root@OLD:/root/move.dump root@NEW:/root/move.dump": "test_site_moves_to_another_host",
    "make ship VERSION=1.3.0 HOSTS=NEW PUBLIC_URL=https://www.example.com": (
        "test_site_moves_to_another_host"
    ),
    "ssh root@NEW 'cd /opt/NAME/current && FORCE=1 bin/restore /root/move.dump && bin/deploy'": (
        "test_site_moves_to_another_host"
    ),
    "uvx cruft create org/template": "test_answers_are_recorded",
    "uvx cruft link org/template": "test_answers_are_recorded",
    "uvx cruft check": "test_check_tells_whether_the_template_changed",
    "uvx cruft diff": "test_diff_shows_the_edits",
    "uvx cruft update -y": "test_update_adds_new_files",
}


def commands(document: Path) -> set[str]:
    """Return the commands of a document's indented code blocks, without comments and options."""
    text = document.read_text("utf-8")
    for source in (SOURCE, SOURCE.replace("gh:", "https://github.com/")):
        text = text.replace(source, "org/template")
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)  # diagrams
    lines = re.findall(r"^ {4,8}(\S.*)$", text, re.MULTILINE)
    cut = {re.split(r" +# | --no-input | \\$", line)[0].strip() for line in lines}
    return {line for line in cut if re.match(r"[a-z./]+( |$)", line)}


def test_commands_are_tested() -> None:
    """Each command is run by a test, or COMMANDS says why not; COMMANDS has no others."""
    assert {line for document in DOCUMENTS for line in commands(document)} == COMMANDS.keys()


def test_tests_of_commands_exist() -> None:
    """Each test that COMMANDS names exists."""
    sources = "".join(path.read_text("utf-8") for path in (TEMPLATE / "tests").glob("test_*.py"))
    names = {name for name in COMMANDS.values() if name.startswith("test_")}
    assert names - set(re.findall(r"^def (\w+)", sources, re.MULTILINE)) == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(TEMPLATE)))
def test_links_lead_somewhere(document: Path) -> None:
    """Each link to a file of the repository, and each picture, names one that exists."""
    links = re.findall(r"(?:\]\(|src(?:set)?=\")([^):#\"]+)[)\"]", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_figures_were_measured() -> None:
    """Each row of figures is one that the benchmarks have written."""
    results = json.loads((TEMPLATE / "bench/results.json").read_text("utf-8")).values()
    tables = [str(Table(**table)) for result in results for table in result["tables"]]
    readme = (TEMPLATE / "bench/README.md").read_text("utf-8")
    quoted = set(re.findall(r"^\|.*\|$", readme, re.MULTILINE))
    assert quoted
    assert quoted - set("\n".join(tables).splitlines()) == set()
