"""What several tests and benchmarks share.

template    the paths of the template, its prompts and their default answers
hooks       the hooks as Cookiecutter renders them
commands    running other programs
baking      baking projects, and reading what was baked
answers     answers to the prompts: others than the defaults, hostile and random ones
snapshots   the files that each selection of switches bakes
owners      what an owner changes in a project
updates     versions of the template, and the commands of cruft
servers     the baked project, installed and served
visitors    what a person does on the site
browsers    Chromium, and the project with its sample users as people see it
webdriver   Firefox and WebKit, and what a person does in them
sentry      servers that stand in for Sentry
spotlight   `make spotlight`
containers  containers of an image
hosts       a bare host that Ansible reaches by SSH, with a registry and Sentry beside it
rehearsal   releases from a git tag to that host
mutation    small changes of the code that some test should notice
sentry_api  a strict fake of Sentry's API for releases and alerts
load        constant load on a stack
"""
