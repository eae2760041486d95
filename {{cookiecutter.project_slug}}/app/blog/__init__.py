"""The Microblog: posts, timelines, profiles, and who follows whom."""
