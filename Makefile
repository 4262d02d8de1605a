# `make demo` and `make test` need only Python >= 3.10 and Java >= 17.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
PYTEST_ARGS ?=
SLOW ?= and not slow
SPARKS ?= 2
MINUTES ?= 20
TARGET ?=
SECONDS ?= 0
INPUT ?=
# See tests/support/effort.py.
export TEST_EFFORT ?= bounded

# Spark's workers must run this environment's Python and Spark, whatever variables the shell has set. The host name of a
# laptop often does not resolve.
export PYSPARK_PYTHON := $(abspath $(PY))
export PYSPARK_DRIVER_PYTHON := $(abspath $(PY))
export SPARK_LOCAL_IP ?= 127.0.0.1
export UV_PYTHON_DOWNLOADS := never
unexport SPARK_HOME SPARK_CONF_DIR PYTHONPATH PYTHONHOME
# Images of containers often set it. The tests start hundreds of processes, each of which would compile all its modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-all sanitize fuzz soak bench check docs examples lock clean java

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: java $(VENV)/.has-demo ## write sample logs to an S3 server on this machine, read them with Spark
	@$(PY) -m pyspark_logs demo

test: java $(VENV)/.has-test $(VENV)/.compiled ## run the tests (PYTEST_ARGS="-k name" for some of them)
	@# Older versions of Spark are installed while the tests without Spark run; tests/spark/test_versions.py waits for them, and
	@# reports an installation that fails.
	$(if $(PYTEST_ARGS),,@nice -n 10 $(PY) scripts/install_spark.py >/dev/null 2>&1 &)
	@# Several processes, but only two Sparks at a time, each of which may need 2 GB of memory.
	@# Spark's workers report no coverage; the tests without Spark cover the same code.
	$(PY) -m pytest -m "not spark $(SLOW)" -n auto --dist worksteal $(if $(COVERAGE),--cov=pyspark_logs) $(PYTEST_ARGS) $(if $(PYTEST_ARGS),|| [ $$? -eq 5 ])
	$(PY) -m pytest -m "spark $(SLOW)" -n $(SPARKS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS) $(if $(PYTEST_ARGS),|| [ $$? -eq 5 ])

test-all: java $(VENV)/.has-test $(VENV)/.has-package ## run all tests with all examples, including the slow ones, and check the coverage
	@scripts/install-s3-servers $(PY)
	@# One Spark at a time, because all servers of Spark Connect use the same port.
	@$(MAKE) --no-print-directory test COVERAGE=yes SLOW= SPARKS=0 TEST_EFFORT=full
	@scripts/check-package $(PY)
	@scripts/version-matrix $(PY)
	@scripts/cluster-test $(PY)
	@$(MAKE) --no-print-directory sanitize
	@$(MAKE) --no-print-directory fuzz SECONDS=60

sanitize: $(VENV)/.has-test ## run property tests of the compiled engines with sanitizers (needs gcc)
	scripts/sanitized-tests $(PY)

fuzz: $(VENV)/.has-test $(VENV)/.compiled ## search inputs that break a target of tests/fuzz (TARGET=json SECONDS=60; all of them, without end)
	$(PY) -m tests.fuzz $(TARGET) $(if $(INPUT),--input $(INPUT),--seconds $(SECONDS))

soak: $(VENV)/.has-test $(VENV)/.compiled ## write, stream and sink under faults and kills for MINUTES=20 (needs Linux)
	$(PY) -m tests.soak --minutes $(MINUTES)

bench: java $(VENV)/.has-bench $(VENV)/.compiled ## measure the speed, compared with Polars, DuckDB and Spark's own readers
	$(PY) -m benchmarks

check: $(VENV)/.has-lint ## check lint rules, format and types
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy

docs: $(VENV)/.has-docs ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet

examples: $(VENV)/.has-test $(VENV)/.compiled ## run the examples in docstrings, and a few tests of the engines without compiled code
	@# The compiled modules have no examples, and pytest would import their Python sources beside them.
	$(PY) -m pytest -q --doctest-modules src --ignore=src/pyspark_logs/formats/compiled
	@# A part of the conformance suites, as on a machine without a C compiler.
	PYSPARK_LOGS_COMPILED=0 $(PY) -m pytest -q tests/conformance/test_presets.py -k "engines or rows"

lock: $(VENV)/.has-uv ## compile constraints.txt from pyproject.toml
	$(UV) pip compile --universal --python-version 3.10 --all-extras --group dev --upgrade --no-annotate \
	    --no-emit-index-url --custom-compile-command "make lock" --output-file constraints.txt pyproject.toml

clean: ## remove all build products and the environment
	rm -rf $(VENV) .venv-localstack .venv-matrix build dist site .coverage .coverage.* .fuzz .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf spark-warehouse metastore_db derby.log artifacts
	find src -name '*.so' -delete
	find src tests benchmarks examples sample_data -name __pycache__ -type d -prune -exec rm -rf {} +

java:
	@scripts/need-java

$(VENV)/.has-uv: constraints.txt
	@scripts/make-venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@touch $@

# One environment. Targets add the dependency groups of pyproject.toml that they need.
$(VENV)/.has-%: pyproject.toml constraints.txt $(VENV)/.has-uv
	@echo "installing the packages of '$*' into $(VENV)"
	@$(UV) pip install --quiet --python $(PY) --constraints constraints.txt --editable '.[all]' --group $*
	@touch $@

# The compiled engines, in place. Without a C compiler nothing is built, which the script says.
$(VENV)/.compiled: scripts/build_compiled.py $(wildcard src/pyspark_logs/*/block_search.p* src/pyspark_logs/formats/compiled/*.p*) | $(VENV)/.has-compiled
	@$(PY) scripts/build_compiled.py --optional
	@touch $@
