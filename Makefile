# `make help` explains every target. All of them rest on `make install`.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# On Linux, PyPI's torch brings gigabytes of CUDA; an index of CPU builds can be named here.
TORCH_INDEX ?=
STAMP := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export HF_HUB_OFFLINE ?= 1
export HF_HUB_DISABLE_TELEMETRY := 1
export BENTOML_DO_NOT_TRACK := True

.PHONY: help install postgresql chromium wheelhouse client sbom audit demo test test-reliability test-reliability-long test-without-network lint types format unit serve mlflow screenshots bench-console bench-classifier-quality bench-classifier-speed bench-adaptation bench-emerging bench-expected bench-drift bench-forecast bench-forecast-speed bench-gate bench-learning bench-many-regions bench-routing-value bench-scaling bench-surges bench-desk mutants clean demo-retraining

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-24s %s\n", $$1, $$2}'

install: $(STAMP) ## create .venv with every pinned dependency

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --progress-bar on -c constraints.txt torch $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))
	$(BIN)/pip install --progress-bar on -c constraints.txt -e '.[dev,ray]'
	@touch $(STAMP)

wheelhouse: install ## every dependency and the encoder as wheels in wheels/, for a machine without a network
	deploy/wheelhouse.sh $(BIN)/python wheels $(TORCH_INDEX)

client: install ## generate a typed Python client of the service into var/client (a network once)
	deploy/client.sh $(BIN)/python var/client

sbom: install ## write what is installed, with versions and licences, to var/sbom.json (CycloneDX)
	@mkdir -p var
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file var/sbom.json $(VENV)

audit: install ## ask PyPI's advisory database about the pinned versions; needs a network
	$(BIN)/pip-audit --strict --no-deps --disable-pip -r constraints.txt

demo: install ## train the sample's champions if there are none, start the service, talk to it
	$(BIN)/tsur demo $(DEMO)

demo-retraining: install ## corrections teach the running service, poisoned ones are refused, a rollback; in a home of its own
	$(BIN)/tsur demo-retraining $(DEMO)

test: install lint types unit ## all that CI runs: lint, types, tests

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: install
	$(BIN)/mypy

# The store is tested on both of its databases. Where PostgreSQL can be neither found nor installed, those tests are skipped.
postgresql:
	@which initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
	if [ "$$(id -u)" = 0 ] && which apt-get >/dev/null 2>&1; then \
		apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null || \
		echo "PostgreSQL could not be installed: its tests are skipped"; \
	else echo "PostgreSQL is not installed: its tests are skipped"; fi

# The console is tested in a real browser, Debian's. Where it can be neither found nor installed, those tests are skipped.
chromium:
	@which chromium >/dev/null 2>&1 || \
	if [ "$$(id -u)" = 0 ] && which apt-get >/dev/null 2>&1; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-dejavu-core >/dev/null || \
		echo "Chromium could not be installed: its tests are skipped"; \
	else echo "Chromium is not installed: its tests are skipped"; fi

# Two halves side by side: servers wait much, training computes. What starts Ray stays in one of them, the second.
SERVING_HALF := $(addprefix tests/,behaviour benchmarks data models registry serving)
unit: install postgresql chromium
	@$(BIN)/pytest $(SERVING_HALF) & serving=$$!; \
	$(BIN)/pytest $(addprefix --ignore=,$(SERVING_HALF)); rest=$$?; \
	wait $$serving && exit $$rest

# Minutes that two hundred clients ask for on each database.
RELIABILITY_MINUTES ?= 0.5
export RELIABILITY_MINUTES
LONG_FAULTS := tests/reliability/test_jobs.py tests/reliability/test_ray.py
test-reliability: install postgresql ## kill, starve and fuzz real servers on both databases, and count what that breaks
	@test -n "$$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null)" || { [ "$$(id -u)" = 0 ] && apt-get install -y -qq libfaketime >/dev/null; } || \
	echo "libfaketime is not installed: the clock does not jump"
	$(BIN)/pytest tests/reliability $(addprefix --ignore=,$(LONG_FAULTS)) -m "reliability or not reliability"

test-reliability-long: install postgresql ## two hundred kills of job workers on each database, machines of Ray, a fine-tuning that is killed
	$(BIN)/pytest $(LONG_FAULTS) tests/training -m reliability

test-without-network: install ## make a wheelhouse, install from it and serve where there is no network (root, 12 GB of disk)
	$(BIN)/pytest tests/deploy/test_without_a_network.py -m reliability -s

format: install ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

serve: install ## start the HTTP service with the registered champions
	$(BIN)/tsur serve

mlflow: install ## start the MLflow interface on the tracking store
	$(BIN)/tsur mlflow

bench-console: install ## how quick the console is with 100,000 stored complaints; needs trained champions and Chromium
	$(BIN)/python -m benchmarks.console $(BENCH)

bench-classifier-quality: install ## compare the classifiers on real complaints (TSUR_REAL_DATA); goes on where it was stopped
	$(BIN)/python -m benchmarks.classifier_quality $(BENCH)

bench-routing-value: install ## what routing is worth against a portal's own (TSUR_REAL_DATA); trains unless bench-classifier-quality has
	$(BIN)/python -m benchmarks.routing_value $(BENCH)

bench-classifier-speed: install ## compare the engine with its rivals and the machine's ceiling; load on the service
	$(BIN)/python -m benchmarks.classifier_speed $(BENCH)

bench-adaptation: install ## adapt an encoder on other regions, label a few rows of a new one (TSUR_REAL_DATA); goes on where it was stopped
	$(BIN)/python -m benchmarks.adaptation $(BENCH)

bench-emerging: install ## leave topics out and see whether they are found as new ones (TSUR_REAL_DATA); goes on where it was stopped
	$(BIN)/python -m benchmarks.emerging_topics $(BENCH)

bench-gate: install ## twenty poisoned batches and twenty honest ones before the promotion gate; goes on where it was stopped
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.gate_quality $(BENCH)

bench-learning: install ## retrains of five months, which labels teach most, a cold start (TSUR_REAL_DATA); goes on where it was stopped
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.learning $(BENCH)

bench-drift: install ## false and true alarms of drift, and the accuracy that it estimates (TSUR_REAL_DATA)
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.drift $(BENCH)

bench-surges: install ## compare the surge detectors on real and simulated counts (TSUR_REAL_DATA); goes on where it was stopped
	$(BIN)/python -m benchmarks.surge_quality $(BENCH)

bench-expected: install ## are expected surges probabilities: skill, reliability, lead time (TSUR_REAL_DATA)
	$(BIN)/python -m benchmarks.expected_surges $(BENCH)

bench-forecast: install ## compare the forecasters on real counts (TSUR_REAL_DATA); goes on where it was stopped
	$(BIN)/python -m benchmarks.forecast_quality $(BENCH)

bench-forecast-speed: install ## train 1,000 simulated series of three years, and refresh them a day later
	$(BIN)/python -m benchmarks.forecast_speed $(BENCH)

bench-many-regions: install ## twenty regions on one worker beside one, a challenger, keys: memory and latency
	$(BIN)/python -m benchmarks.many_regions $(BENCH)

bench-scaling: install ## one worker and two on Ray beside the local engine, and what a country needs by these rates
	$(BIN)/python -m benchmarks.scaling $(BENCH)

bench-desk: install chromium ## count an operator's keys at the desk and at one without proposals; time its queue (train with --set holdout=0.2 before)
	$(BIN)/python -m benchmarks.desk $(BENCH)

screenshots: install chromium ## take the pictures of docs/console.md (SCREENSHOTS="heatmap series": only these)
	$(BIN)/python -m tests.serving.console.screenshots $(SCREENSHOTS)

MUTANTS_MINUTES ?= 10
mutants: install ## make wrong changes and count those that the tests notice (MUTANTS_MINUTES=10)
	$(BIN)/python -m tests.mutants --minutes $(MUTANTS_MINUTES) $(MUTANTS)

clean: ## remove .venv and the local state in var/
	rm -rf $(VENV) var
