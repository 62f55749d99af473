"""The command line: one module a command; this one turns errors into messages and exit codes."""

from __future__ import annotations

import sys
import traceback
import warnings
from typing import Any

import click

from ..errors import NasbenchError
from .commands import command_group

INTERRUPTED_EXIT_CODE = 130


def main(args: list[str] | None = None) -> None:
    """Run ``nasbench``; exit code 0 for success, 2 for bad input, 1 for a failed run, 130 for Ctrl-C."""
    args = sys.argv[1:] if args is None else args
    debug = "--debug" in args
    warnings.showwarning = _show_warning
    try:
        sys.exit(command_group().main(args, prog_name="nasbench", standalone_mode=False) or 0)
    except click.exceptions.Exit as finished:
        sys.exit(finished.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED_EXIT_CODE)
    except BrokenPipeError:
        # The reader of our output, such as 'head', has seen enough.
        sys.stderr.close()
        sys.exit(0)
    except NasbenchError as error:
        _show_error(str(error), error.exit_code, debug)
    except Exception as error:
        _show_error(
            f"{type(error).__name__}: {error}\nThis is a fault of nasbench or of a plugin. "
            "Run the command again with --debug and report what it prints.",
            1,
            debug,
        )


def _show_error(message: str, exit_code: int, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    click.echo(f"Error: {message}", err=True)
    sys.exit(exit_code)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    click.echo(f"Warning: {message}", err=True)
