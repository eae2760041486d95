"""Posts, timelines, profiles, and who follows whom."""

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required
from sqlalchemy import delete

from app.auth.models import User, user_named
from app.blog import models, queries
from app.blog.forms import EditProfileForm, PostForm
from app.blog.models import Post
from app.blog.pagination import ID_MAX, paginate
from app.blog.seed import seed
from app.blog.text import hue, linkify
from app.extensions import db

bp = Blueprint(
    "blog",
    __name__,
    cli_group=None,
    static_folder="static",
    static_url_path="/static/blog",
    template_folder="templates",
)
bp.cli.add_command(seed)
bp.add_app_template_filter(queries.capped)
bp.add_app_template_filter(hue)
bp.add_app_template_filter(linkify)
POST_URL = f"/post/<int(max={ID_MAX}):post_id>"


@bp.before_request
def note_seen() -> None:
    """Keep the user's `last_seen` up to date."""
    if g.get("user_id"):  # which static files do not have
        models.note_seen(current_user)


# Parts are registered in order of their names, and of two routes for "/" the first one counts.
@bp.get("/index")
@bp.get("/")
def index() -> ResponseReturnValue:
    """Show the timeline of the user, or everybody's posts to a stranger."""
    if current_user.is_authenticated:
        return show_timeline(PostForm())
    return render_template("blog/front.html", page=paginate(queries.ALL_POSTS))


@bp.post("/index")
@bp.post("/")
@login_required
def publish() -> ResponseReturnValue:
    """Accept a new post."""
    form = PostForm()
    if not form.validate_on_submit():
        return show_timeline(form)
    models.publish(current_user.id, form.post.data)
    flash("Your post is live.", "success")
    return redirect(url_for("main.index"))


def show_timeline(form: PostForm) -> str:
    """Return the timeline of the user below `form`."""
    page = paginate(queries.TIMELINE, reader=current_user.id)
    return render_template("blog/index.html", form=form, page=page)


@bp.route("/explore")
def explore() -> ResponseReturnValue:
    """Show everybody's posts."""
    return render_template("blog/explore.html", page=paginate(queries.ALL_POSTS))


@bp.route("/user/<username>")
def user(username: str) -> ResponseReturnValue:
    """Show a user's profile and posts."""
    profile = queries.profile(username, reader_id()) or abort(404)
    page = paginate(queries.POSTS_OF, owner=profile.id)
    return render_template("blog/user.html", user=profile, page=page)


@bp.route("/user/<username>/followers")
def followers(username: str) -> ResponseReturnValue:
    """Show who follows a user."""
    user = user_or_404(username)
    page = paginate(queries.FOLLOWERS_OF, owner=user.id, reader=reader_id())
    return render_template("blog/people.html", title=f"Followers of {user.username}", page=page)


@bp.route("/user/<username>/following")
def following(username: str) -> ResponseReturnValue:
    """Show whom a user follows."""
    user = user_or_404(username)
    page = paginate(queries.FOLLOWED_BY, owner=user.id, reader=reader_id())
    return render_template("blog/people.html", title=f"Followed by {user.username}", page=page)


@bp.route("/edit_profile", methods=["GET", "POST"])
@login_required
def edit_profile() -> ResponseReturnValue:
    """Change what the user's profile says."""
    form = EditProfileForm(obj=current_user.profile)
    if form.validate_on_submit():
        form.populate_obj(current_user.profile)
        db.session.commit()
        flash("Your profile is saved.", "success")
        return redirect(url_for("blog.user", username=current_user.username))
    return render_template("blog/edit_profile.html", form=form)


@bp.route("/follow/<username>", methods=["POST"])
@login_required
def follow(username: str) -> ResponseReturnValue:
    """Follow a user."""
    user = user_or_404(username)
    name = user.username  # the account may be deleted before it is followed
    if user.id == current_user.id:
        flash("You cannot follow yourself.", "error")
    else:
        models.follow(current_user.id, user.id)
        flash(f"You are now following {name}.", "success")
    return redirect(url_for("blog.user", username=name))


@bp.route("/unfollow/<username>", methods=["POST"])
@login_required
def unfollow(username: str) -> ResponseReturnValue:
    """Stop following a user."""
    user = user_or_404(username)
    models.unfollow(current_user.id, user.id)
    flash(f"You are no longer following {user.username}.", "success")
    return redirect(url_for("blog.user", username=user.username))


@bp.route(POST_URL)
def post(post_id: int) -> ResponseReturnValue:
    """Show one post."""
    return render_template("blog/post.html", post=queries.post(post_id) or abort(404))


@bp.route(f"{POST_URL}/delete", methods=["GET", "POST"])
@login_required
def delete_post(post_id: int) -> ResponseReturnValue:
    """Delete one of the user's own posts. A GET asks whether to do so."""
    post = queries.post(post_id) or abort(404)
    if post.user_id != current_user.id:
        abort(403)
    if request.method == "GET":
        return render_template("blog/delete_post.html", post=post)
    db.session.execute(delete(Post).where(Post.id == post_id))
    db.session.commit()
    flash("Your post is deleted.", "success")
    return redirect(url_for("main.index"))


def reader_id() -> int:
    """Return the id of the user who reads the page, or 0 for a stranger."""
    return getattr(current_user, "id", 0)


def user_or_404(username: str) -> User:
    """Return the user of that name, or respond with a 404."""
    return user_named(username) or abort(404)
