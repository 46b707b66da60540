"""Commands of `headstart`, one a file."""
