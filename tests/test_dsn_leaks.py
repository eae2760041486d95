"""A DSN is written to `.env` only: not to the home folder, the temp folder or a tracked file."""

from pathlib import Path

import pytest

from tests.support.baking import Terminal, keystrokes
from tests.support.hooks import PRE_GEN
from tests.support.template import DSN

KEY = DSN[8:40]
ENV = {"here/microblog/.env"}


def test_typed_dsn_is_in_env_only(terminal: Terminal) -> None:
    """A DSN that was typed at the prompt is in no file but `.env`."""
    terminal.cookiecutter(stdin=keystrokes(sentry_dsn=DSN))
    assert terminal.files_with(KEY) == ENV


@pytest.mark.parametrize("dsn", [DSN, f'"{DSN}\\ü'], ids=["legal", "illegal"])
def test_refused_dsn_is_nowhere(terminal: Terminal, dsn: str) -> None:
    """After a refused run, the DSN is neither in a file nor in the output."""
    refused = terminal.cookiecutter("--no-input", f"sentry_dsn={dsn}", "release=v1")
    (terminal.root / "log").write_text(refused.stdout + refused.stderr)
    assert terminal.files_with(KEY) == set()


def test_given_dsn_is_in_env_only(terminal: Terminal) -> None:
    """A DSN from the command line is only in `.env`, and `--replay` uses the other answers."""
    terminal.cookiecutter("--no-input", f"sentry_dsn={DSN}", "project_slug=mine")
    assert terminal.files_with(KEY) == {"here/mine/.env"}
    terminal.cookiecutter("--replay", "--output-dir", "again")
    assert (terminal.folder / "again/mine/.env").exists()


def test_moved_replay_folder_is_found(terminal: Terminal) -> None:
    """The DSN is blanked in the replay folder of the file that COOKIECUTTER_CONFIG names."""
    (terminal.folder / "config.yaml").write_text("replay_dir: notes\n")
    terminal.cookiecutter("--no-input", f"sentry_dsn={DSN}", COOKIECUTTER_CONFIG="config.yaml")
    assert terminal.files_with(KEY) == ENV


REPLAY_DIRS = """\
replay_dir: /my notes
replay_dir:   '/my notes'  # why
replay_dir: "/my notes"
replay_dir: /my notes # why
{"replay_dir": "/my notes", "abbreviations": {}}
{"replay_dir": "/my notes"}
replay_dir: ~/my notes
replay_dir: $HOME/my notes""".splitlines()


@pytest.mark.parametrize("line", REPLAY_DIRS)
def test_replay_folder_is_read_from_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    """The replay folder is found in each of the forms in which YAML can write it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".cookiecutterrc").write_text(f"default_context:\n  release: 1.0.0\n{line}\n")
    assert PRE_GEN.replay_folders()[1].name == "my notes"


@pytest.fixture
def replay_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that the hook takes for the only replay folder."""
    monkeypatch.setattr(PRE_GEN, "replay_folders", lambda: [tmp_path])
    return tmp_path


def test_other_replay_files_are_left_alone(replay_folder: Path) -> None:
    """Replay files in which the prompt has another DSN do not change."""
    other = replay_folder / "other.json"
    other.write_text(text := '{"sentry_dsn": "https://other@example.com/1", "x": "' + DSN + '"}')
    PRE_GEN.forget_dsn(DSN)
    assert other.read_text() == text


def test_unreadable_replay_file_is_reported(
    replay_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A replay file that the hook cannot read is named and does not stop the bake."""
    (replay_folder / "broken.json").write_bytes(b"\xff")
    PRE_GEN.forget_dsn(DSN)
    assert capsys.readouterr().err.startswith(
        f"sentry_dsn: {replay_folder}/broken.json may still contain it ("
    )
