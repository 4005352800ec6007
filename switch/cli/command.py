"""What a command module is made of, and the options that all of them share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from switch.cli.client import Client, NoDaemon
from switch.control.errors import ControlError
from switch.control.rundir import find_socket

Run = Callable[[argparse.Namespace], int]
Subparsers = Any  # argparse keeps the type of what add_subparsers() returns to itself.

FILE = {
    "bash": "_shtab_compgen_files",
    "zsh": "_files",
    "tcsh": "f",
}
"""Completion by file names, as shtab wants it."""


def add_command(
    commands: Subparsers, name: str, run: Run, text: str, **kwargs: Any
) -> argparse.ArgumentParser:
    """A verb with its `--json`; `text` is its line in the help and the first paragraph of its own."""
    kwargs.setdefault("description", text[0].upper() + text[1:] + ".")
    kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, **kwargs)
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")
    parser.set_defaults(run=run)
    return parser


def add_group(commands: Subparsers, name: str, text: str) -> Subparsers:
    """A noun with verbs of its own: `port add`."""
    parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    return parser.add_subparsers(metavar="VERB", required=True)


def connect(options: argparse.Namespace) -> Client:
    """A connection to the daemon that the options, the environment or chance name. Raises NoDaemon."""
    try:
        path = find_socket(options.switch, options.socket)
    except ControlError as error:
        raise NoDaemon(error.field, error.message, error.hint) from None
    return Client(path)


def call(options: argparse.Namespace, verb: str, args: object = None) -> Any:
    """One question, one answer. Raises ControlError."""
    with connect(options) as client:
        return client.call(verb, args)
