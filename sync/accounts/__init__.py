"""One file for each service that people have accounts at; sync/account_kinds.py finds them by their place."""
