"""The command line: `smppgw`.

    configuring   serve, check, init, key
    sending       send
    cancelling    cancel
    looking       message, messages, inbound, receipts, quarantine, status, binds
    common        exit codes, the connection to the gateway, tables
    sample        the configuration that `init` writes

Talks to a running gateway only over its HTTP API. Heavy modules are imported inside the commands that need them, so
that the others answer at once.
"""

from __future__ import annotations

import click

from smppgw.cli import cancelling, configuring, looking, sending
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
      smppgw send "Hello" --to +447700900123      hand in a message
      smppgw messages                             see what became of it
    """


for _command in (*configuring.COMMANDS, sending.send, *cancelling.COMMANDS, *looking.COMMANDS):
    main.add_command(_command)
