"""Posts, timelines, profiles, and the route that breaks."""

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required
from sqlalchemy import delete

from app import timelines
from app.extensions import db
from app.main.forms import EditProfileForm, PostForm
from app.models import Post, User, user_named
from app.pagination import ID_MAX, Cursor

bp = Blueprint("main", __name__)
POST_URL = f"/post/<int(max={ID_MAX}):post_id>"


@bp.before_request
def note_seen() -> None:
    """Keep the user's `last_seen` up to date."""
    if current_user.is_authenticated:
        current_user.note_seen()


@bp.get("/index")
@bp.get("/")
def index() -> ResponseReturnValue:
    """Show the timeline of the user, or the front page to a stranger."""
    if current_user.is_authenticated:
        return show_timeline(PostForm())
    page = timelines.all_posts(Cursor.from_request())
    return render_template("main/front.html", page=page)


@bp.post("/index")
@bp.post("/")
@login_required
def publish() -> ResponseReturnValue:
    """Accept a new post."""
    form = PostForm()
    if not form.validate_on_submit():
        return show_timeline(form)
    db.session.add(Post(body=form.post.data, user_id=current_user.id))
    db.session.commit()
    flash("Your post is live.", "success")
    return redirect(url_for("main.index"))


def show_timeline(form: PostForm) -> str:
    """Return the timeline of the user below `form`."""
    page = timelines.timeline(current_user.id, Cursor.from_request())
    return render_template("main/index.html", form=form, page=page)


@bp.route("/explore")
def explore() -> ResponseReturnValue:
    """Show everybody's posts."""
    page = timelines.all_posts(Cursor.from_request())
    return render_template("main/explore.html", page=page)


@bp.route("/user/<username>")
def user(username: str) -> ResponseReturnValue:
    """Show a user's profile and posts."""
    reader_id = getattr(current_user, "id", 0)  # strangers have no id
    profile = timelines.profile(username, reader_id) or abort(404)
    page = timelines.posts_of(profile.id, Cursor.from_request())
    return render_template("main/user.html", user=profile, page=page)


@bp.route("/user/<username>/followers")
def followers(username: str) -> ResponseReturnValue:
    """Show who follows a user."""
    user = user_or_404(username)
    page = timelines.followers_of(user.id, Cursor.from_request())
    return render_template("main/people.html", title=f"Followers of {user.username}", page=page)


@bp.route("/user/<username>/following")
def following(username: str) -> ResponseReturnValue:
    """Show whom a user follows."""
    user = user_or_404(username)
    page = timelines.followed_by(user.id, Cursor.from_request())
    return render_template("main/people.html", title=f"Followed by {user.username}", page=page)


@bp.route("/edit_profile", methods=["GET", "POST"])
@login_required
def edit_profile() -> ResponseReturnValue:
    """Change what the user's profile says."""
    form = EditProfileForm(obj=current_user)
    if form.validate_on_submit():
        current_user.about_me = form.about_me.data
        db.session.commit()
        flash("Your profile is saved.", "success")
        return redirect(url_for("main.user", username=current_user.username))
    return render_template("main/edit_profile.html", form=form)


@bp.route("/follow/<username>", methods=["POST"])
@login_required
def follow(username: str) -> ResponseReturnValue:
    """Follow a user."""
    user = user_or_404(username)
    if user.id == current_user.id:
        flash("You cannot follow yourself.", "error")
    else:
        current_user.follow(user.id)
        flash(f"You are now following {user.username}.", "success")
    return redirect(url_for("main.user", username=user.username))


@bp.route("/unfollow/<username>", methods=["POST"])
@login_required
def unfollow(username: str) -> ResponseReturnValue:
    """Stop following a user."""
    user = user_or_404(username)
    current_user.unfollow(user.id)
    flash(f"You are no longer following {user.username}.", "success")
    return redirect(url_for("main.user", username=user.username))


@bp.route(POST_URL)
def post(post_id: int) -> ResponseReturnValue:
    """Show one post."""
    return render_template("main/post.html", post=timelines.post(post_id) or abort(404))


@bp.route(f"{POST_URL}/delete", methods=["GET", "POST"])
@login_required
def delete_post(post_id: int) -> ResponseReturnValue:
    """Delete one of the user's own posts. A GET asks whether to do so."""
    post = timelines.post(post_id) or abort(404)
    if post.user_id != current_user.id:
        abort(403)
    if request.method == "GET":
        return render_template("main/delete_post.html", post=post)
    db.session.execute(delete(Post).where(Post.id == post_id))
    db.session.commit()
    flash("Your post is deleted.", "success")
    return redirect(url_for("main.index"))


@bp.route("/broken_route")
def broken_route() -> ResponseReturnValue:
    """Crash, so that you can watch Sentry catch it. It is a 404 unless BROKEN_ROUTE is on."""
    if not current_app.config["BROKEN_ROUTE"]:
        abort(404)
    return str(1 / 0)


def user_or_404(username: str) -> User:
    """Return the user of that name, or respond with a 404."""
    return user_named(username) or abort(404)
