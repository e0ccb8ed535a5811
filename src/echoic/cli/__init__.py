"""The command line: one module per verb (subcommand), discovered by name, imported when called.

A module `echoic.cli.NAME` that defines a function `NAME` is the verb
`echoic NAME`; `echoic.cli.common` describes how to write one.
"""

from __future__ import annotations

import os
import pkgutil
import sys
import traceback
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from echoic.cli._records import one_line
from echoic.cli._signals import exit_code, leave_on_signals
from echoic.cli._streams import is_verbose, prepare_streams
from echoic.errors import EchoicError, ParameterError

UsageError: Any = typer.BadParameter.__bases__[0]  # typer does not export it


class Verb(TyperCommand):
    """A command that takes no empty value, and names every value that it does not take."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments.

        Raises:
            typer.BadParameter: a value is empty, of another type or out of range.
        """
        typed, _, _ = self.make_parser(ctx).parse_args(list(args))
        params: list[Any] = self.get_params(ctx)
        for param in params:
            if typed.get(param.name) == "":
                raise typer.BadParameter("is empty", ctx, param)
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            value = typed.get(error.param.name) if error.param else None
            if value is not None:  # typer's messages do not contain it
                error.message = f"{value!r}: {error.message}"
            raise


class Verbs(TyperGroup):
    """A command group that imports each verb lazily."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the verbs, sorted."""
        names = (module.name for module in pkgutil.iter_modules(__path__))
        return sorted(name for name in names if name != "common" and not name.startswith("_"))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import one verb; None if there is none of this name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = import_module(f"{__name__}.{cmd_name}")
        # Without rich: its help looks better, but it takes longer to import than all the rest.
        app = typer.Typer(rich_markup_mode=None, add_completion=False)
        app.command(name=cmd_name, cls=Verb)(getattr(module, cmd_name))
        return typer.main.get_command(app)


def _print_version(asked: bool) -> None:
    if asked:
        from echoic import __version__

        print(f"echoic {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=Verbs,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def echoic(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Machine hearing modelled on human hearing.

    Data goes to standard output, everything else to standard error. Exit code:
    0 success, 1 some inputs failed, 2 wrong usage, 130 interrupted,
    143 terminated; partial output is removed.
    """


def usage_line(error: Any) -> str:
    """The line to print for wrong usage; without arguments, the help."""
    words = str(error.format_message())
    if "\n" in words:
        return words
    verb = error.ctx.command_path if error.ctx else "echoic"
    return f"{verb}: {words.removeprefix('Invalid value: ').removesuffix('.')}; see {verb} -h"


def main() -> None:
    """Run the command line and exit; an uncaught exception is printed as one line."""
    # Before numpy is imported, and for the workers of several files: its products are so small
    # that more threads only take time from the other files.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    verbose = is_verbose(sys.argv)
    prepare_streams(mute_libraries=not verbose)
    leave_on_signals()
    try:
        sys.exit(app(prog_name="echoic", standalone_mode=False))
    except UsageError as error:
        print(usage_line(error), file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("echoic: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader has closed the pipe: redirect stdout, so that the flush at exit does not fail.
        real = sys.__stdout__
        if real is not None and sys.stdout is real:
            os.dup2(os.open(os.devnull, os.O_WRONLY), real.fileno())
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - the outermost handler
        if exit_code() is not None:
            sys.exit(exit_code())
        if not isinstance(error, EchoicError) and verbose:
            traceback.print_exc()
        else:
            print(f"echoic: {one_line(error)}", file=sys.stderr)
        sys.exit(2 if isinstance(error, ParameterError) else 1)
