"""An outside world that knows the truth; a foreign client that follows docs/wire.md."""
