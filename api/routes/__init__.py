"""One file per subject: parse, one query or kernel, answer."""
