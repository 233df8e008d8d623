"""The Celery application and its tasks: load, call the library, save."""
