PY := .venv/bin/python
.PHONY: setup demo serve test lint score bench train screenshots clean

setup: .venv/.ready  ## .venv with the pinned dependencies and the `eligo` command

.venv/.ready: requirements/dev.txt pyproject.toml
	@python3 -m venv .venv || { echo "python3 -m venv failed: install Python 3.11 or 3.12 with its venv module (Debian: apt-get install python3-venv)"; exit 1; }
	@.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## the main job on a bundled, invented note
	@$(PY) -m api.demo

serve: setup  ## Redis, worker, API and page at http://127.0.0.1:8000
	@.venv/bin/eligo serve

test: setup
	@$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: setup
	@$(PY) -m ruff check .
	@$(PY) -m mypy

score: setup  ## quality tables on the reference data beside the project
	@$(PY) -m tests.score

bench: setup  ## performance tables, as ratios within one run
	@$(PY) -m tests.bench

train: setup  ## rebuild the trained artefacts of models/trained
	@$(PY) -m models.training

screenshots: setup  ## pictures of the page in screenshots/
	@$(PY) -m tests.screenshots

clean:
	rm -rf .venv build *.egg-info
