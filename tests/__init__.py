"""Tests of the template: its prompts, its hooks, and the project that it bakes."""
