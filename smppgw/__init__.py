"""smppgw: a self-hosted SMPP carrier gateway.

The rooms
    daemon      wiring: start order, signals, drain, stop
    cli         the command `smppgw`
    api         ways in and out: the HTTP API
    queue       the durable truth: messages, segments, their states, the store on SQLite
    binds       everything that holds a carrier's socket: connect, bind, window, pacing, outcomes, reconnect
    routing     message -> carriers, in order
    addresses   what people type -> E.164; TON and NPI
    config      one TOML file -> typed settings; a carrier's dialect in layers: profile, carrier, bind
    sms         3GPP content, pure: alphabets, UDH, segments
    smpp        SMPP on the wire, sans-IO: codec, framer, session, receipts; the simulator shares it
    bridge      every crossing between trio and asyncio
    telemetry, clock, errors
and beside this package
    simulator   an SMSC to try it against: the same Session class in the role SMSC

Who may import whom: each only those to its right. tests/test_architecture.py holds the table.
    daemon, cli, api -> queue, binds -> routing, addresses, config -> sms, smpp -> errors, telemetry, clock, bridge
    binds and the API know of the queue only queue.model; simulator -> smpp, sms, errors, clock

How a message flows
    1. api.intake parses a batch; addresses, sms.plan and routing make each item a NewMessage or a refusal by name.
    2. queue.sqlite commits the batch together with all others that wait; only then comes the 202.
    3. binds.driver claims as many segments as window and pacing allow now (QUEUED -> IN_FLIGHT, on disk), then writes
       their submit_sm in one call.
    4. The submit_sm_resps of one read become one RecordOutcomes, in the same transaction as the next claim.
    5. The receipts of one read become one RecordReceipts; deliver_sm_resp goes out after its commit. A receipt that
       comes before its submit_sm_resp is parked on disk and found when the id appears. queue.ids reads the id in
       every form, queue.matcher decides; a wrong match never happens.
    6. The verdict follows from the segments; GET /v1/messages/{id} shows it with the whole history.

The two state machines are tables: sessions in smpp.states, segments in queue.model.states.
"""
