# One image for the API and the workers. The steps are those of `make setup`.
FROM python:3.12-slim

RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent eligo \
    && mkdir /data && chown eligo:eligo /data
WORKDIR /app

COPY requirements requirements
RUN python3 -m venv .venv \
    && .venv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes -r requirements/runtime.txt

COPY pyproject.toml README.md ./
COPY models models
COPY matcher matcher
COPY workers workers
COPY api api
RUN .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . \
    && .venv/bin/python -m compileall -q .venv api workers matcher models

ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 ELIGO_DATA_DIR=/data
USER eligo
VOLUME /data
EXPOSE 8000
CMD ["eligo", "serve", "--only", "api", "--host", "0.0.0.0", "--port", "8000"]
