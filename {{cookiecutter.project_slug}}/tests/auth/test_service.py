"""Who may log in, and what happens to an account that changes meanwhile."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, BoundedSemaphore
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, insert, select
from sqlalchemy.pool import QueuePool
from werkzeug.security import check_password_hash

from app.auth import passwords, service
from app.auth.models import Login, User, utcnow
from app.auth.service import LOGGED_IN, authenticate, reset_token, serializer, user_of_token
from app.extensions import db
from tests.auth.conftest import NEW, Change, DuringCheck
from tests.conftest import PASSWORD, AuthActions, Database, quick_hash

# Another part of the app refers to users like this.
NOTES = Table(
    "row_of_a_test",
    MetaData(),
    Column("owner_id", Integer, ForeignKey(User.id, ondelete="CASCADE"), primary_key=True),
)


@pytest.fixture
def user(app: Flask, database: Database) -> Iterator[User]:
    """Return a user in a context of the app."""
    user_id = database.add_user("susan")
    with app.app_context():
        yield db.session.get_one(User, user_id)


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize(
    ("login", "password", "found"),
    [
        ("susan", PASSWORD, True),
        ("SUSAN", PASSWORD, True),
        ("Susan@Example.com", PASSWORD, True),
        ("susan", "wrong", False),
        ("susan", "", False),
        ("zoe", PASSWORD, False),
        ("susan\0", PASSWORD, False),
    ],
)
def test_authenticate(login: str, password: str, found: bool) -> None:
    """The user's name or e-mail address returns the user with the right password only."""
    assert (authenticate(login, password) is not None) is found


@pytest.mark.parametrize("mark", ["", "z"])
def test_token_of_other_password(user: User, mark: str) -> None:
    """The token of a reset link is invalid unless it has the mark of the current password."""
    assert user_of_token(reset_token(user)) == user
    assert user_of_token(serializer().dumps([user.id, mark])) is None


def test_token_finds_its_user(user: User, database: Database) -> None:
    """The token of a login finds its user and no other."""
    david, zoe = database.add_user("david"), database.add_user("zoe")
    owners = {"a": zoe, "b": david, "c": user.id}
    db.session.add_all(Login(token=token, user_id=owners[token]) for token in owners)
    parameters = {"token": "b", "since": utcnow() - timedelta(days=1)}
    assert [found.id for found in db.session.scalars(LOGGED_IN, parameters)] == [david]


def test_rows_go_with_account(user: User, database: Database) -> None:
    """A row of another table that refers to a user is deleted with the account."""
    david = database.add_user("david")
    NOTES.create(db.engine)
    database.execute(insert(NOTES).values([{"owner_id": user.id}, {"owner_id": david}]))
    service.delete_account(user)
    assert database.read(select(NOTES.c.owner_id)) == [david]


def give_new_password(user: User) -> None:
    """Give `user` the password NEW."""
    assert service.set_password(user, NEW)


class TestMeanwhile:
    """The account changes while a request checks or hashes a password."""

    @pytest.mark.parametrize("change", [give_new_password, service.delete_account])
    def test_login_fails(
        self, auth: AuthActions, database: Database, during_check: DuringCheck, change: Change
    ) -> None:
        """A log-in with the old password, or to a deleted account, is refused."""
        database.add_user("susan")
        during_check(change)
        assert "Wrong username or password" in auth.login().text
        assert database.read(select(Login.token)) == []

    @pytest.mark.usefixtures("susan")
    def test_first_new_password_stays(
        self, client: FlaskClient, database: Database, during_check: DuringCheck
    ) -> None:
        """A new password does not replace one that was set meanwhile."""
        during_check(give_new_password)
        form = {"current_password": PASSWORD, "password": "other horse", "password2": "other horse"}
        assert client.post("/account/password", data=form).location == "/auth/login"
        (stored,) = database.read(select(User.password_hash))
        assert check_password_hash(stored, NEW)

    @pytest.mark.usefixtures("susan")
    @pytest.mark.parametrize("page", ["email", "delete"])
    def test_old_password_changes_nothing(
        self, client: FlaskClient, database: Database, during_check: DuringCheck, page: str
    ) -> None:
        """A password that was right until now neither changes the address nor the account."""
        during_check(give_new_password)
        form = {"current_password": PASSWORD, "email": "s@x.org"}
        assert client.post(f"/account/{page}", data=form).location == "/auth/login"
        assert database.read(select(User.email)) == ["susan@example.com"]

    @pytest.mark.usefixtures("susan")
    @pytest.mark.parametrize("page", ["password", "email", "delete"])
    def test_deleted_user_is_asked_to_log_in(
        self, client: FlaskClient, database: Database, during_check: DuringCheck, page: str
    ) -> None:
        """A change of an account that was deleted meanwhile leads to the log-in page."""
        during_check(service.delete_account)
        form = {"current_password": PASSWORD, "password": NEW, "password2": NEW, "email": "s@x.org"}
        assert client.post(f"/account/{page}", data=form).location == "/auth/login"
        assert database.read(select(User.id)) == []


class TestParallel:
    """Several requests use a database file."""

    @pytest.fixture
    def app(self, own_app: Flask) -> Flask:
        """Return an app with a database file, which threads may share."""
        return own_app

    def test_link_sets_one_password(
        self, app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A reset link that is used eight times at once sets one password."""
        all_have_the_user = Barrier(8, timeout=30)

        def hash_together(password: str) -> str:
            all_have_the_user.wait()
            return quick_hash(password)

        def choose(password: str) -> str | None:
            form = {"password": password, "password2": password}
            return app.test_client().post(f"/auth/reset?token={token}", data=form).location

        monkeypatch.setattr(passwords, "generate_password_hash", hash_together)
        monkeypatch.setattr(passwords, "at_work", BoundedSemaphore(8))
        with app.app_context():
            token = reset_token(db.session.get_one(User, database.add_user("susan")))
        chosen = [f"battery staple {n}" for n in range(8)]
        with ThreadPoolExecutor(8) as pool:
            locations = list(pool.map(choose, chosen))
        assert sorted(map(str, locations)) == ["/"] + ["/auth/login"] * 7
        (stored,) = database.read(select(User.password_hash))
        assert check_password_hash(stored, chosen[locations.index("/")])

    @pytest.mark.usefixtures("susan")
    @pytest.mark.parametrize(
        "path",
        ["/auth/login", "/auth/register", "/account/password", "/account/email", "/account/delete"],
    )
    def test_hash_needs_no_connection(
        self, app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, path: str
    ) -> None:
        """A request has given its connection back to the pool while it hashes."""
        in_use: set[int] = set()

        def noting(work: Callable[..., Any]) -> Callable[..., Any]:
            def work_and_note(*arguments: str) -> Any:
                pool = db.engine.pool
                assert isinstance(pool, QueuePool)
                in_use.add(pool.checkedout())
                return work(*arguments)

            return work_and_note

        for name in ("check_password_hash", "generate_password_hash"):
            monkeypatch.setattr(passwords, name, noting(getattr(passwords, name)))
        form = {"username": "zoe", "email": "zoe@example.com", "current_password": PASSWORD}
        form |= {"password": NEW, "password2": NEW}
        browser = client if path.startswith("/account") else app.test_client()
        browser.post(path, data=form)
        assert in_use == {0}
