"""HTTP: the API, the live stream and the built-in pages."""
