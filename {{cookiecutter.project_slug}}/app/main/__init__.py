"""The front page, and the route that breaks."""
