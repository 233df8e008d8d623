"""The service on a real Redis with real worker processes."""
