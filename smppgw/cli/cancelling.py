"""The command `cancel`: takes a message back."""

from __future__ import annotations

import click
import httpx

from smppgw.cli.common import Gateway, gateway_options, path_segment, show_json

_SAID = {
    "cancelled": "cancelled: nothing of it was sent, and nothing will be",
    "asked": "asked: the carrier has it, and is asked by cancel_sm; `smppgw message {id}` shows what comes of it",
    "in_doubt": "in_doubt: it was sent and not answered, and is not sent again; if the carrier turns out to have it, "
    "it is asked by cancel_sm",
}


@click.command()
@click.argument("id")
@gateway_options
def cancel(id: str, url: str, key: str | None, as_json: bool) -> None:
    """Take a message back.

    What is still queued is cancelled at once; what the carrier has accepted it is asked for by cancel_sm. What
    was sent and not answered is not sent again. A message that is final, or being sent at this moment, cannot be
    taken back: exit code 1.

    \b
    Example:
      smppgw cancel 1qz8x4k2m0a
    """
    with Gateway(url, key) as gateway:
        try:
            response = gateway.post(f"/v1/messages/{path_segment(id)}/cancel", {}, {})
        except httpx.TransportError as error:
            raise gateway.unreachable(error) from None
        found = gateway.answer(response)
    if as_json:
        show_json(found)
    else:
        click.echo(_SAID[found["state"]].format(id=found["id"]))


COMMANDS: tuple[click.Command, ...] = (cancel,)
