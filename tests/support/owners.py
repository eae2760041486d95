"""What an owner changes in a project."""

from pathlib import Path

from tests.support.servers import Project

COLUMN = "    login_token ="
OWN_MODELS = '''"""Bills."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base


class Bill(Base):
    """A bill."""

    __tablename__ = "bill"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
'''
OWN_SCRIPT = 'addEventListener("notes", () => {\n  document.nothing();\n});\n'
OWN_PAGE = '''"""Bills."""

from flask import Blueprint

bp = Blueprint("bills", __name__)


@bp.get("/bills")
def show() -> str:
    """Show all bills."""
    return "No bills"
'''


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text in a file."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def change_models(project: Project) -> None:
    """Add a column with an index, make one longer, and add a table that no page imports yet."""
    models = project.folder / "app/auth/models.py"
    column = "    nickname: Mapped[str | None] = mapped_column(String(30), index=True)\n"
    edit(models, COLUMN, column + COLUMN)
    edit(models, "String(256)", "String(300)")
    write_part(project, "models.py", OWN_MODELS)


def add_page(project: Project) -> None:
    """Add a page in a folder of its own."""
    write_part(project, "routes.py", OWN_PAGE)


def write_part(project: Project, name: str, text: str) -> None:
    """Write a module of a part of the app that the owner adds."""
    folder = project.folder / "app/bills"
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text('"""Bills."""\n')
    (folder / name).write_text(text)


def add_script(project: Path) -> None:
    """Add a script to those of the browser."""
    (project / "browser/notes.js").write_text(OWN_SCRIPT, "utf-8")
    with (project / "browser/main.js").open("a", encoding="utf-8") as main:
        main.write('import "./notes.js";\n')
