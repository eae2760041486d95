# GNU make 3.81 is enough: macOS has no newer one.
PYTHON ?= python3
OUTPUT ?= build
PORT ?= 8000

UV := $(shell command -v uv || echo .uv/bin/uv)
UV_VERSION := $(shell sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.txt)
DEMO := build/demo/microblog
IN_DEMO := $(MAKE) --no-print-directory -C $(DEMO) PYTHONPYCACHEPREFIX= 'UV=$(abspath $(UV))'
COOKIECUTTER := .venv/bin/cookiecutter
READY := .venv/ready

CHECK_PYTHON = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
  { echo 'Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.13' >&2; exit 1; }

# Cookiecutter bakes every file in the body, so bytecode is written elsewhere.
export PYTHONPYCACHEPREFIX := $(CURDIR)/build/bytecode
# These would install into another environment, or change how the tests' Python works.
unexport PIP_PREFIX PIP_PYTHON PIP_TARGET PIP_USER UV_PYTHON UV_SYSTEM_PYTHON
unexport PYTHONOPTIMIZE PYTHONSAFEPATH PYTHONWARNDEFAULTENCODING PYTHONWARNINGS

.PHONY: help bake demo test test-fast mutate bench pictures rehearse snapshots lint lock outdated release

help:  ## list the recipes
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

bake: $(COOKIECUTTER)  ## ask the prompts and bake a project (OUTPUT=build)
	$(COOKIECUTTER) . --output-dir '$(OUTPUT)'

demo: $(DEMO)  ## bake the default project once and serve it (SENTRY_DSN=..., PORT=8000)
	@$(IN_DEMO) seed
	@printf '\n%s\n' 'The app:    http://127.0.0.1:$(PORT)' 'It breaks:  http://127.0.0.1:$(PORT)/broken_route'
	@grep -q '^SENTRY_DSN=.' $(DEMO)/.env || test "$$SENTRY_DSN" || \
	  echo 'To see the error without an account, press Ctrl+C and run: make -C $(DEMO) spotlight'
	@$(IN_DEMO) run --old-file=database PORT=$(PORT)

test: $(READY)  ## run all tests but the rehearsals
	.venv/bin/pytest -n 3 --dist loadfile --hypothesis-profile thorough -m 'not rehearsal'

test-fast: $(READY)  ## run the tests that install nothing
	.venv/bin/pytest -n auto --dist loadfile -m 'not slow and not containers'

mutate: $(READY)  ## list the changes of a module that no test notices (ARGS="MODULE TEST ...")
	.venv/bin/python -m tests.support.mutation $(ARGS)

bench: $(READY)  ## measure pages, growth, the image, Sentry, and how long people wait (ARGS="--quick pages")
	.venv/bin/python -m bench $(ARGS)

pictures: $(READY)  ## take the pictures of the READMEs; needs Chromium and Node
	.venv/bin/python -m bench.pictures

rehearse: $(READY)  ## rehearse deploys on this machine, from git tag to Sentry (15 minutes)
	.venv/bin/pytest -m rehearsal --capture=no --verbose

snapshots: $(READY)  ## list anew what each selection of answers bakes, in tests/snapshots.txt
	.venv/bin/python -m tests.support.snapshots

lint: $(READY)  ## check style, types, spelling, workflows
	.venv/bin/mypy
	.venv/bin/pre-commit run --all-files

lock: | $(UV)  ## pin the newest release of every tool and of the project's packages
	.ci/lock '$(abspath $(UV))'

outdated: $(READY)  ## list the pins that are behind the newest releases, and who holds them back
	@.venv/bin/python .ci/outdated.py '$(abspath $(UV))'

release:  ## make a release of what is committed: make release VERSION=1.3.0
	@bin/release '$(VERSION)'

# Ctrl+C may interrupt each of these, so its target appears last.
$(DEMO): | $(COOKIECUTTER)
	@rm -rf build/baking
	@$(COOKIECUTTER) . --no-input --default-config --output-dir build/baking \
	  "sentry_dsn=$$SENTRY_DSN" >/dev/null
	@mkdir -p build/demo && mv build/baking/* $@

# To bake takes one package of those that the template is developed with.
$(COOKIECUTTER): | $(UV)
	@$(CHECK_PYTHON)
	$(UV) venv --quiet --allow-existing --python '$(PYTHON)' .venv
	VIRTUAL_ENV=.venv $(UV) pip install --quiet --constraints requirements.txt cookiecutter

$(READY): requirements.txt | $(UV)
	@$(CHECK_PYTHON)
	$(UV) venv --quiet --allow-existing --python '$(PYTHON)' .venv
	VIRTUAL_ENV=.venv $(UV) pip sync --quiet --require-hashes requirements.txt
	@touch $@

# To use the pip that is there saves the seconds that installing another one takes.
.uv/bin/uv:
	@$(CHECK_PYTHON)
	rm -rf .uv.new && $(PYTHON) -m venv --without-pip .uv.new
	$(PYTHON) -m pip --python .uv.new/bin/python install --quiet uv==$(UV_VERSION) 2>/dev/null || \
	  { .uv.new/bin/python -m ensurepip && .uv.new/bin/python -m pip install uv==$(UV_VERSION); }
	rm -rf .uv && mv .uv.new .uv
