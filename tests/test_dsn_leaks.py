"""A DSN ends in `.env` and nowhere else: not in home, not in temp, not in a tracked file."""

from pathlib import Path

import pre_gen_project
import pytest
from conftest import Terminal
from helpers import DSN

KEY = DSN[8:40]
ENV = {"here/microblog/.env"}


def test_given_dsn_is_in_env_only(terminal: Terminal) -> None:
    """A DSN from the command line leaves no trace besides `.env`."""
    terminal.cookiecutter("--no-input", f"sentry_dsn={DSN}")
    assert terminal.files_with(KEY) == ENV


def test_typed_dsn_is_in_env_only(terminal: Terminal) -> None:
    """A DSN typed at the prompt leaves no trace besides `.env`."""
    terminal.cookiecutter(stdin=f"\n\n{DSN}\n\n\n\n")
    assert terminal.files_with(KEY) == ENV


@pytest.mark.parametrize("dsn", [DSN, f'"{DSN}\\ü'], ids=["legal", "illegal"])
def test_refused_dsn_is_nowhere(terminal: Terminal, dsn: str) -> None:
    """A run that is refused leaves no trace, neither in a file nor in the log of a build."""
    run = terminal.cookiecutter("--no-input", f"sentry_dsn={dsn}", "release=v1")
    (terminal.root / "log").write_text(run.stdout + run.stderr)
    assert terminal.files_with(KEY) == set()


def test_blanked_note_replays(terminal: Terminal) -> None:
    """The note of the other answers stays good for `--replay`."""
    terminal.cookiecutter("--no-input", f"sentry_dsn={DSN}", "project_name=Mine")
    terminal.cookiecutter("--replay", "--output-dir", "again")
    assert (terminal.root / "here/again/mine/.env").exists()


def test_moved_replay_folder_is_found(terminal: Terminal) -> None:
    """The file that COOKIECUTTER_CONFIG names may move the note, relative paths included."""
    (terminal.root / "here/config.yaml").write_text("replay_dir: notes\n")
    terminal.cookiecutter("--no-input", f"sentry_dsn={DSN}", COOKIECUTTER_CONFIG="config.yaml")
    assert terminal.files_with(KEY) == ENV


@pytest.mark.parametrize(
    "line",
    [
        "replay_dir: /my notes",
        "replay_dir:   '/my notes'  # why",
        'replay_dir: "/my notes"',
        "replay_dir: /my notes # why",
        '{"replay_dir": "/my notes", "abbreviations": {}}',
        '{"replay_dir": "/my notes"}',
        "replay_dir: ~/my notes",
        "replay_dir: $HOME/my notes",
    ],
)
def test_replay_folder_is_read_from_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    """A folder is found in any of the ways that YAML writes it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".cookiecutterrc").write_text(f"default_context:\n  release: 1.0.0\n{line}\n")
    assert pre_gen_project.replay_folders()[1].name == "my notes"


def test_other_notes_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanking touches nothing but the DSN of this run."""
    monkeypatch.setattr(pre_gen_project, "replay_folders", lambda: [tmp_path])
    note = tmp_path / "other.json"
    note.write_text(text := '{"sentry_dsn": "https://other@example.com/1", "x": "' + DSN + '"}')
    pre_gen_project.forget_dsn(DSN)
    assert note.read_text() == text


def test_unreadable_note_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A note that the hook cannot read does not stop the bake, but it is named."""
    monkeypatch.setattr(pre_gen_project, "replay_folders", lambda: [tmp_path])
    (tmp_path / "broken.json").write_bytes(b"\xff")
    pre_gen_project.forget_dsn(DSN)
    assert capsys.readouterr().err.startswith(f"sentry_dsn: may still stand in {tmp_path}")
