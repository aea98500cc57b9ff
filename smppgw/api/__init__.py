"""Ways in: the HTTP API.

    app            paths, statuses, the error shape          create_app(services)
    services       what the API needs from the gateway       Services, Readiness, Unavailable
    item           one item of a body, its fields            MessageIn, validated
    account        what the account's settings make of it    prepared, Account
    content        what is to be planned of it, and how      content_of, Content, widening
    moments        when it is to be sent, and until when     span_of, moment
    carriage       what a carrier's settings make of it      Carriage
    intake         a body to messages ready to be stored     parse, Intake, ItemError
    segments       a body to what it would cost              Previews
    auth           API keys                                  generate_key, hash_key, Keys
    queries        query parameters of the lists
    views          the store's views as JSON; schemas documents their shapes, words the words in them
    measuring      /metrics, and the counting of requests
    documentation  /openapi.json and /docs
    faults         every error code, in one table
    server         uvicorn inside the daemon                 open_sockets, HttpServer

Knows the store and the binds only as callables in Services; runs on asyncio, without importing it. Import from the
modules: nothing is loaded here, since the CLI needs `auth` without a web framework.
"""
