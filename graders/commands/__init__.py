"""The commands of `headstart`, a file for each; what takes time to import is imported when a command runs."""
