"""The `crosslingual` command: one file per subcommand, heavy imports inside them.

Exit status: 0; 1 the user's error, one line saying what, where and what to do; 2 usage; 130 interrupted.
"""

import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from .. import __version__
from ..alignment.runs.shares import SharePending
from .commands import (
    average,
    cache,
    check,
    compare,
    demo,
    efficiency,
    erase,
    export,
    extract,
    figures,
    index,
    listing,
    locate,
    mine,
    probe,
    retention,
    score,
    study,
    train,
    transfer,
)
from .messages import one_line, say

INTERRUPTED = 130


class _Commands(TyperGroup):
    """The commands: a file that ends early is damaged, which Typer would take for Ctrl-D."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except EOFError as error:
            raise OSError(f"a file ends early ({' '.join(str(error).split())})") from error


app = typer.Typer(
    name="crosslingual",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # [default: …] and flores[/dev] are text, not markup
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("score")(score.score)
app.command("heatmap")(figures.heatmap)
app.command("curve")(figures.curve)
app.command("report")(figures.report)
app.add_typer(figures.plot, name="plot")
app.command("compare")(compare.compare)
app.command("extract")(extract.extract)
app.command("check")(check.check)
app.command("export")(export.export)
app.command("mine")(mine.mine)
app.command("probe")(probe.probe)
app.command("erase")(erase.erase)
app.command("train")(train.train)
app.command("retention")(retention.retention)
app.command("locate")(locate.locate)
app.add_typer(study.app, name="study")
app.command("transfer")(transfer.transfer)
app.command("efficiency")(efficiency.efficiency)
app.command("average")(average.average)
app.add_typer(index.app, name="index")
app.add_typer(listing.app, name="list")
app.add_typer(cache.app, name="cache")
app.command("demo")(demo.demo)


def _version(asked: bool) -> bool:
    if asked:
        say(f"crosslingual {__version__}")
        raise typer.Exit
    return asked


@app.callback()
def _main(
    debug: bool = typer.Option(False, help="Show the traceback of an error."),
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True),
) -> None:
    """Measure how well a multilingual model aligns sentences that mean the same, layer by layer."""


def run() -> None:
    """Run the command line and exit with its status."""
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    if debug:
        arguments.remove("--debug")
    try:
        status = app(args=arguments, standalone_mode=False) or 0
        if status == INTERRUPTED:  # Typer turns Ctrl-C into this
            raise KeyboardInterrupt
        return int(status)
    except TyperException as error:
        message = error.format_message()
        if "\n" in message:  # the help, where no command was given
            say(message, err=True)
            message = "no command was given"
        if message:
            say(f"usage: {message} (see --help)", err=True)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        say("interrupted; what is finished is kept, the same command goes on", err=True)
        return INTERRUPTED
    except SharePending as pending:
        say(one_line(pending), err=True)
        return 0
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone, as `| head` does
        return 1
    except (ValueError, OSError, MemoryError) as error:
        if debug:
            raise
        say(f"error: {one_line(error)}", err=True)
        return 1
    except Exception:
        traceback.print_exc()
        say(
            f"this is a fault of crosslingual {__version__}, not yours: please report it with the lines "
            "above and the command",
            err=True,
        )
        return 1
