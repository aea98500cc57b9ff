"""`python -m smppgw`: the same as the command `smppgw`."""

from __future__ import annotations

from smppgw.cli import main

if __name__ == "__main__":
    main(prog_name="smppgw")
