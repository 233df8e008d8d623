"""Many trials: the bundled ones, and a file-backed store of the user's own."""

from matcher.registry.store import Registry, RegistryError, bundled_trials

__all__ = ["Registry", "RegistryError", "bundled_trials"]
