# Everything a developer does here. `make help` lists it. Works with GNU make 3.81 (macOS) and later.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
KILLS := 100
DRILLS := $(addprefix tests/live/test_,bulk_kills.py schedule_kills.py event_schedule_kills.py events_killed.py made_once.py)
CHECKED := $(wildcard src tests tools bench)
BINDINGS := 9.1.1.0 8.0.3.0
BINDINGS_STAMPS := $(BINDINGS:%=.cache/bindings/%.stamp)
UV_VERSION := 0.13.9
UV := .cache/uv/bin/uv
# uv reads no pip settings, and UV_NO_CONFIG keeps a machine's own index out of the locks.
COMPILE = UV_NO_CONFIG=1 $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(LOCK_FLAGS)

# $(call step,name,command): run it, and say plainly which step failed.
step = $(2) || { echo "make: $(1) failed" >&2; exit 1; }

# Compiling the tests anew would cost more than collecting them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup install run test pythons quick check drills mutants fuzz advisories forms bench contract docs site bindings ansible dcli compliance prism packaging dist sbom lock format clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.run.stamp  ## make .venv with what a server needs and no more; PYTHON=python3.12 chooses the interpreter

setup: $(VENV)/.stamp  ## make .venv with all that tests, checks and benchmarks need, too

run: install  ## serve: make run ARGS="--port 8443"
	@exec $(BIN)/resphere serve $(ARGS)

test: check bindings ansible dcli compliance prism packaging site  ## everything continuous integration runs: make check, pytest, other Pythons (ARGS="-k tls" narrows it)
	@$(call step,pytest,$(BIN)/python -m pytest $(ARGS))
	@$(if $(ARGS),true,$(call step,tools.pythons,$(BIN)/python -m tools.pythons))

pythons: setup  ## a quick share of the tests on every other claimed Python that is found
	@$(call step,tools.pythons,$(BIN)/python -m tools.pythons)

quick: check  ## in about a minute: make check, then the tests that start no process, with fewer examples
	@$(call step,pytest --quick,$(BIN)/python -m pytest --quick $(ARGS))

check: setup  ## the static part: ruff, mypy --strict, views gone round, names in messages, forms without a number, import directions
	@$(call step,ruff check,$(BIN)/ruff check --quiet $(CHECKED))
	@$(call step,ruff format --check (make format mends it),$(BIN)/ruff format --quiet --check $(CHECKED))
	@$(call step,mypy --strict,$(BIN)/mypy --no-error-summary $(CHECKED))
	@$(call step,tools.unfiltered,$(BIN)/python -m tools.unfiltered)
	@$(call step,tools.forms --check,$(BIN)/python -m tools.forms --check)
	@$(call step,tools.mentions,$(BIN)/python -m tools.mentions)
	@$(call step,lint-imports,report=$$($(BIN)/lint-imports --no-logo) || { echo "$$report"; false; })

drills: setup  ## for a night: 100 kills each of servers with bulk operations, schedules, events, calls under keys; KILLS=20 are fewer
	@$(call step,pytest,RESPHERE_KILLS=$(KILLS) $(BIN)/python -m pytest -n 0 $(DRILLS) $(ARGS))

mutants: setup  ## have the tests notice faults in the primitives of concurrency and access; ARGS="replica/edit" tries one module
	@$(BIN)/python -m tools.mutants $(ARGS)

fuzz: setup .cache/fuzz/atheris.stamp  ## try to break the parsers that strangers reach, a minute each; ARGS="rest -runs=100000" tries one
	@if [[ -n "$(ARGS)" ]]; then \
		PYTHONPATH=.cache/fuzz/atheris $(BIN)/python -m tools.fuzz $(ARGS); \
	else \
		for target in $(notdir $(wildcard tests/fuzz/corpus/*)); do \
			PYTHONPATH=.cache/fuzz/atheris $(BIN)/python -m tools.fuzz $$target -max_total_time=60 || exit 1; \
		done; \
	fi

advisories: setup .cache/advisories.stamp  ## ask whether the locked libraries have known vulnerabilities
	@PYTHONPATH=.cache/advisories $(BIN)/python -m tools.advisories

forms: setup  ## keep the present form of documents for the tests: its description, and a small data directory
	@$(BIN)/python -m tools.forms

bench: setup bindings .cache/bench/fastapi.stamp .cache/bench/vcsim.stamp  ## measure, and write bench/RESULTS.md; ARGS="vm-list" measures one thing
	@$(BIN)/python -m bench $(ARGS)

contract: setup bindings  ## write src/resphere/contract/generated/ from the official bindings
	@$(BIN)/python -m tools.contract $(ARGS) $(BINDINGS:%=.cache/bindings/%)
	@$(BIN)/python -m tools.client
	@$(BIN)/python -m tools.docs

docs: setup  ## write what is made from the code: pages of docs/, the pieces of OpenAPI documents, stubs of the clients, a dashboard
	@$(BIN)/python -m tools.docs
	@$(BIN)/python -m tools.client
	@$(BIN)/python -m tools.dashboard

site: setup .cache/site/.stamp  ## make the documentation a site that can be searched, in build/site
	@$(call step,tools.site,$(BIN)/python -m tools.site)

bindings: $(BINDINGS_STAMPS)  ## fetch the official bindings into .cache/bindings, a folder for each version

ansible: .cache/ansible/.stamp  ## fetch Ansible and its collections for vSphere's REST API, for the tests

dcli: .cache/dcli/.stamp  ## fetch VMware's dcli, for the tests

compliance: .cache/compliance/.stamp  ## fetch VMware's checks of a vCenter's configuration, for the tests

prism: .cache/prism/.stamp  ## fetch Prism, a server made of an OpenAPI document, for the tests; needs npm

format: setup  ## let ruff lay out the code and mend what it can
	@$(BIN)/ruff check --quiet --fix $(CHECKED)
	@$(BIN)/ruff format --quiet $(CHECKED)

packaging: .cache/packaging/.stamp  ## fetch what checks the files of deploy/ into .cache/packaging

dist: install  ## build the wheel and the source distribution in dist/
	@rm -rf dist build && mkdir dist
	@$(call step,wheel,$(BIN)/python -c "from setuptools import build_meta; build_meta.build_wheel('dist')" > .cache/dist.log)
	@$(call step,sdist,$(BIN)/python -c "from setuptools import build_meta; build_meta.build_sdist('dist')" >> .cache/dist.log)
	@rm -rf build && ls dist

sbom: packaging .cache/sbom/.stamp  ## write dist/resphere.cdx.json, what an installation consists of (CycloneDX)
	@mkdir -p dist
	@$(call step,cyclonedx-py,.cache/packaging/venv/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--of JSON -o dist/resphere.cdx.json .cache/sbom/venv/bin/python)
	@echo dist/resphere.cdx.json

lock: $(UV)  ## write requirements/*.txt anew; LOCK_FLAGS=--upgrade takes newer versions
	$(COMPILE) --extra server pyproject.toml -o requirements/run.txt
	$(COMPILE) --extra server pyproject.toml requirements/dev.in -c requirements/run.txt -o requirements/dev.txt
	$(COMPILE) requirements/build.in -c requirements/dev.txt -o requirements/build.txt
	$(COMPILE) --extra server pyproject.toml requirements/pythons.in -c requirements/dev.txt -o requirements/pythons.txt
	$(COMPILE) requirements/bench.in -c requirements/dev.txt -o requirements/bench.txt
	$(COMPILE) requirements/advisories.in -c requirements/dev.txt -o requirements/advisories.txt
	$(COMPILE) requirements/fuzz.in -c requirements/dev.txt -o requirements/fuzz.txt
	$(COMPILE) requirements/ansible.in -o requirements/ansible.txt
	$(COMPILE) requirements/dcli.in -o requirements/dcli.txt
	$(COMPILE) requirements/site.in -c requirements/dev.txt -o requirements/site.txt
	$(COMPILE) requirements/packaging.in -o requirements/packaging.txt
	$(COMPILE) requirements/compliance.in --overrides requirements/compliance-overrides.in -o requirements/compliance.txt
	@if command -v npm >/dev/null; then \
		cd requirements/prism && npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund; \
	fi
	for version in $(BINDINGS); do \
		$(COMPILE) requirements/bindings-$$version.in -c requirements/dev.txt -o requirements/bindings-$$version.txt \
		|| exit 1; \
	done

clean:  ## remove everything these rules made
	rm -rf $(VENV) .cache build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf src/resphere.egg-info
	find src tests $(wildcard tools bench) -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "resphere needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; \
		exit 1; }
	@$(call step,python -m venv,$(PYTHON) -m venv $(VENV))

# What is never imported is not compiled (--no-compile): that is half of the time.
$(VENV)/.run.stamp: $(VENV)/pyvenv.cfg requirements/run.txt requirements/build.txt pyproject.toml
	@echo "make: installing requirements/run.txt into $(VENV)"
	@$(call step,pip install,$(PIP) install --no-compile --require-hashes -r requirements/run.txt -r requirements/build.txt)
	@$(call step,editable install,$(PIP) install --no-deps --no-build-isolation --editable .)
	@$(call step,compileall,$(BIN)/python -m compileall -q src)
	@touch $@

$(VENV)/.stamp: $(VENV)/.run.stamp requirements/dev.txt
	@echo "make: installing requirements/dev.txt into $(VENV)"
	@$(call step,pip install,$(PIP) install --no-compile --require-hashes -r requirements/dev.txt)
	@touch $@

# Only compared with: out of the way of what is run and tested.
.cache/bench/fastapi.stamp: requirements/bench.txt $(VENV)/pyvenv.cfg | $(VENV)/.stamp
	@echo "make: fetching FastAPI to compare with"
	@mkdir -p .cache/bench && rm -rf .cache/bench/fastapi .cache/bench/fastapi.new
	@$(call step,pip install,$(PIP) install --no-compile --require-hashes --target .cache/bench/fastapi.new -r requirements/bench.txt)
	@mv .cache/bench/fastapi.new .cache/bench/fastapi && touch $@

# It brings a resolver and more: out of the way of what is run and tested.
.cache/advisories.stamp: requirements/advisories.txt $(VENV)/pyvenv.cfg | $(VENV)/.stamp
	@echo "make: fetching pip-audit"
	@rm -rf .cache/advisories .cache/advisories.new
	@$(call step,pip install,$(PIP) install --no-compile --require-hashes --target .cache/advisories.new -r requirements/advisories.txt)
	@mv .cache/advisories.new .cache/advisories && touch $@

# Large, and not on every system: out of the way of the tests, which try the kept inputs without it.
.cache/fuzz/atheris.stamp: requirements/fuzz.txt $(VENV)/pyvenv.cfg | $(VENV)/.stamp
	@echo "make: fetching Atheris"
	@mkdir -p .cache/fuzz && rm -rf .cache/fuzz/atheris .cache/fuzz/atheris.new
	@$(call step,pip install,$(PIP) install --no-compile --require-hashes --target .cache/fuzz/atheris.new -r requirements/fuzz.txt)
	@mv .cache/fuzz/atheris.new .cache/fuzz/atheris && touch $@

# Only compared with, too, and only where Go and govmomi's source are (Debian: golang-go, golang-github-vmware-govmomi-dev).
GOPATH_SOURCE := /usr/share/gocode
.cache/bench/vcsim.stamp: bench/vcsim/main.go
	@mkdir -p .cache/bench && rm -f .cache/bench/vcsim
	@if command -v go >/dev/null && [[ -d $(GOPATH_SOURCE)/src/github.com/vmware/govmomi ]]; then \
		echo "make: building vcsim to compare with"; \
		GO111MODULE=off GOPATH=$(GOPATH_SOURCE) GOCACHE=$$PWD/.cache/go go build -o .cache/bench/vcsim bench/vcsim/main.go \
		&& touch $@; \
	else \
		echo "make: vcsim is not compared with: no Go, or no source of govmomi in $(GOPATH_SOURCE)"; \
	fi

# Two versions cannot live in one environment: each has a folder of its own, moved into place whole.
.cache/bindings/%.stamp: requirements/bindings-%.txt $(VENV)/pyvenv.cfg | $(VENV)/.stamp
	@echo "make: fetching the bindings $*"
	@mkdir -p .cache/bindings && rm -rf .cache/bindings/$* .cache/bindings/$*.new
	@$(call step,bindings $*,$(PIP) install --no-compile --require-hashes --target .cache/bindings/$*.new -r requirements/bindings-$*.txt)
	@mv .cache/bindings/$*.new .cache/bindings/$* && touch $@

# Ansible is a client of tests in an environment of its own; of its collections only the two for the REST API are unpacked,
# and cloud.common, which the lookups of vmware.vmware_rest need and which Ansible's package has no longer since release 12.
.cache/ansible/.stamp: requirements/ansible.txt requirements/ansible-collection.txt requirements/ansible-common.txt \
		$(VENV)/pyvenv.cfg | $(VENV)/.stamp
	@echo "make: fetching Ansible and its collections vmware.vmware_rest and vmware.vmware"
	@rm -rf .cache/ansible && mkdir -p .cache/ansible
	@$(BIN)/python -m venv .cache/ansible/venv
	@$(call step,ansible,.cache/ansible/venv/bin/python -m pip --disable-pip-version-check --no-input -qq install --no-compile \
		--require-hashes -r requirements/ansible.txt)
	@$(call step,ansible collection,$(PIP) download --require-hashes --no-deps -d .cache/ansible/wheel \
		-r requirements/ansible-collection.txt)
	@for collection in vmware_rest vmware; do \
		$(BIN)/python -m tools.unpack .cache/ansible/wheel/ansible-*.whl ansible_collections/vmware/$$collection/ .cache/ansible \
		|| exit 1; \
	done
	@rm -rf .cache/ansible/wheel
	@$(call step,ansible collection,$(PIP) download --require-hashes --no-deps -d .cache/ansible/wheel \
		-r requirements/ansible-common.txt)
	@$(BIN)/python -m tools.unpack .cache/ansible/wheel/ansible-*.whl ansible_collections/cloud/common/ .cache/ansible
	@rm -rf .cache/ansible/wheel && touch $@

# It brings a runtime of vAPI of its own, and old versions of what others need: an environment of its own, too.
.cache/dcli/.stamp: requirements/dcli.txt $(VENV)/pyvenv.cfg | $(VENV)/.stamp
	@echo "make: fetching dcli"
	@rm -rf .cache/dcli && mkdir -p .cache/dcli
	@$(BIN)/python -m venv .cache/dcli/venv
	@$(call step,dcli,.cache/dcli/venv/bin/python -m pip --disable-pip-version-check --no-input -qq install --no-compile \
		--require-hashes -r requirements/dcli.txt)
	@touch $@

# It makes pages, and nothing else needs it: an environment of its own.
.cache/site/.stamp: requirements/site.txt $(VENV)/pyvenv.cfg | $(VENV)/.stamp
	@echo "make: fetching Zensical"
	@rm -rf .cache/site && mkdir -p .cache/site
	@$(BIN)/python -m venv .cache/site/venv
	@$(call step,zensical,.cache/site/venv/bin/python -m pip --disable-pip-version-check --no-input -qq install --no-compile \
		--require-hashes -r requirements/site.txt)
	@touch $@

# It pins old versions of what others need: an environment of its own.
.cache/compliance/.stamp: requirements/compliance.txt $(VENV)/pyvenv.cfg | $(VENV)/.stamp
	@echo "make: fetching VMware's checks of a configuration"
	@rm -rf .cache/compliance && mkdir -p .cache/compliance
	@$(BIN)/python -m venv .cache/compliance/venv
	@$(call step,compliance,.cache/compliance/venv/bin/python -m pip --disable-pip-version-check --no-input -qq install --no-compile \
		--require-hashes --no-deps -r requirements/compliance.txt)
	@touch $@

# It brings versions of its own of what others need, and 100 MB of Kubernetes' schemas: an environment of its own.
.cache/packaging/.stamp: requirements/packaging.txt $(VENV)/pyvenv.cfg | $(VENV)/.stamp
	@echo "make: fetching what checks the files of deploy/"
	@rm -rf .cache/packaging && mkdir -p .cache/packaging
	@$(BIN)/python -m venv .cache/packaging/venv
	@$(call step,packaging,.cache/packaging/venv/bin/python -m pip --disable-pip-version-check --no-input -qq install --no-compile \
		--require-hashes -r requirements/packaging.txt)
	@touch $@

# What an installation has, and nothing of this working copy's own environment.
.cache/sbom/.stamp: requirements/run.txt $(VENV)/pyvenv.cfg | $(VENV)/.run.stamp
	@rm -rf .cache/sbom && mkdir -p .cache/sbom
	@$(BIN)/python -m venv --without-pip .cache/sbom/venv
	@$(call step,pip install,$(PIP) --python .cache/sbom/venv install --no-compile --require-hashes -r requirements/run.txt)
	@touch $@
# Only where npm is: the tests that want it say so.
.cache/prism/.stamp: requirements/prism/package.json requirements/prism/package-lock.json
	@rm -rf .cache/prism && mkdir -p .cache/prism
	@if command -v npm >/dev/null; then \
		echo "make: fetching Prism"; \
		cp requirements/prism/*.json .cache/prism && cd .cache/prism \
		&& npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null && touch .stamp \
		|| echo "make: Prism is not tested against: it could not be fetched"; \
	else \
		echo "make: Prism is not tested against: there is no npm"; \
	fi

$(UV): Makefile
	@$(PYTHON) -m venv .cache/uv && .cache/uv/bin/python -m pip install -qq --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@
