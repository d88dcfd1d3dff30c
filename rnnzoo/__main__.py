"""`python -m rnnzoo` is the `rnnzoo` command."""

from .cli import main

main()
