"""`python -m lab VERB …`, and what the tasks lab.VERB call. Exit codes: 0, 1 (an error, said), 2 (wrong
words), or the code of the command that was run in a node.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from lab.errors import LabError
from lab.interrupt import Interrupted


def main(argv: Sequence[str]) -> int:
    """Does one verb. Returns the exit code; `exec`, `shell` and `capture` become their command instead."""
    words, command = _split(list(argv))
    options = _parser().parse_args(words)
    options.command = command
    verb: Callable[[argparse.Namespace], int] = options.run
    try:
        return verb(options)
    except LabError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
        return 1
    except Interrupted as stopped:
        print(f"stopped by {stopped.args[0]}; what was made has been undone", file=sys.stderr)
        return stopped.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # The reader of our output has had enough: `lab.status | head`.
        return 0


def _split(argv: list[str]) -> tuple[list[str], list[str]]:
    """Our own words, and the command after `--`."""
    if "--" not in argv:
        return argv, []
    at = argv.index("--")
    return argv[:at], argv[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description="Labs of network namespaces around a switch.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=text)
        added.set_defaults(run=run)
        if name != "list":
            added.add_argument("--name", metavar="LAB", help="the lab; needed only where several are up")
        return added

    up = verb("up", _up, "Bring a lab up, or make a running one what its topology says.")
    up.add_argument("--topology", default="pair", metavar="NAME|FILE", help="a shipped one or a YAML file")
    up.add_argument(
        "--datapath", choices=("ringside", "linux-bridge"), help="for every switch, instead of the file's"
    )
    up.add_argument("--keep", action="store_true", help="leave a lab up that does not work, to look at it")
    up.add_argument("--no-check", action="store_true", help="no pings, no TCP transfer at the end")
    up.add_argument("--json", action="store_true")
    down = verb("down", _down, "Take a lab away, whatever state it is in.")
    down.add_argument("--all", action="store_true", help="every lab on this machine")
    down.add_argument("--json", action="store_true")
    verb("status", _status, "What is up, and how it is.").add_argument("--json", action="store_true")
    verb("verify", _verify, "Pings and a TCP transfer, again.").add_argument("--json", action="store_true")
    enter = verb("exec", _exec, "Run a command in a node: exec NODE -- COMMAND …")
    enter.add_argument("node")
    enter.add_argument("words", nargs="*", metavar="COMMAND")
    verb("shell", _shell, "A shell in a node.").add_argument("node")
    graph = verb("graph", _graph, "Draw a lab, or a topology that is not up.")
    graph.add_argument("--topology", metavar="NAME|FILE", help="this one, whether it is up or not")
    graph.add_argument("--svg", metavar="FILE", help="an SVG file instead of text")
    capture = verb("capture", _capture, "tcpdump on a link: capture h1-s1 [-w FILE] [-- TCPDUMP WORDS]")
    capture.add_argument("link")
    capture.add_argument("-w", dest="file", metavar="FILE", help="to a file instead of text")
    verb("list", _list, "Shipped topologies and labs that are up.").add_argument(
        "--json", action="store_true"
    )
    return parser


# Each verb imports what it needs: `exec` should not wait for what `up` wants.


def _up(options: argparse.Namespace) -> int:
    from lab.verbs import up

    return up(options)


def _down(options: argparse.Namespace) -> int:
    from lab.down import report

    return report(options.name, options.all, options.json)


def _status(options: argparse.Namespace) -> int:
    from lab.verbs import status

    return status(options)


def _verify(options: argparse.Namespace) -> int:
    from lab.verbs import verify

    return verify(options)


def _list(options: argparse.Namespace) -> int:
    from lab.verbs import list_all

    return list_all(options)


def _graph(options: argparse.Namespace) -> int:
    from lab.verbs import graph

    return graph(options)


def _exec(options: argparse.Namespace) -> int:
    from lab.enter import enter

    words = [*options.words, *options.command]
    if words:
        enter(options.node, options.name, words)
    print("lab.exec: which command? lab.exec NODE -- COMMAND …", file=sys.stderr)
    return 2


def _shell(options: argparse.Namespace) -> NoReturn:
    from lab.enter import shell

    shell(options.node, options.name)


def _capture(options: argparse.Namespace) -> NoReturn:
    from lab.capture import capture

    capture(options.link, options.name, options.file, options.command)
