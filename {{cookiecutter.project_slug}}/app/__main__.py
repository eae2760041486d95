"""Serve the app with gunicorn: python -m app [gunicorn's options]."""

from app.config import Config

if __name__ == "__main__":
    Config()  # ends here with one line for each invalid setting
    # gunicorn reads WEB_CONCURRENCY on import; an invalid value would end in a traceback.
    from gunicorn.app.wsgiapp import run

    run("python -m app")
