"""The command line: arguments, the server process, and the maintenance commands."""
