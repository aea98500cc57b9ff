"""The command line: `smppgw`.

    configuring   serve, check, init, key
    sending       send
    segmenting    segments
    cancelling    cancel
    looking       message, messages, inbound, receipts, quarantine, status, binds
    sources       where the messages of send come from: the command line, or a CSV file
    content       the options about a message's content, which send and segments share
    drawing       a text with its segments and costly characters, on a terminal and elsewhere
    common        exit codes, the connection to the gateway, tables
    sample        the configuration that `init` writes

Talks to a running gateway only over its HTTP API. Heavy modules are imported inside the commands that need them, so
that the others answer at once.
"""

from __future__ import annotations

import io
import sys

import click

from smppgw.cli import cancelling, configuring, looking, segmenting, sending
from smppgw.cli.common import EXIT_CODES
from smppgw.telemetry import program_version


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110, "auto_envvar_prefix": None},
    epilog=EXIT_CODES,
)
@click.version_option(program_version(), prog_name="smppgw")
def main() -> None:
    """A self-hosted SMPP carrier gateway.

    \b
    First steps:
      smppgw init                                 write smppgw.toml, print an API key
      smppgw serve                                run the gateway
      export SMPPGW_KEY=...                       the key that init printed
      smppgw segments "Hello"                     see how a text would be sent
      smppgw send "Hello" --to +447700900123      hand in a message
      smppgw messages                             see what became of it
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # texts in any script, on a terminal that has not the letters
        sys.stdout.reconfigure(errors="backslashreplace")


for _command in (*configuring.COMMANDS, sending.send, *segmenting.COMMANDS, *cancelling.COMMANDS, *looking.COMMANDS):
    main.add_command(_command)
