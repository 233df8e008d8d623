"""The faces of the product: command line, HTTP API and web page."""
