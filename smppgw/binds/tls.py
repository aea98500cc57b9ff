"""TLS to an SMSC: who is trusted, what is shown, and what went wrong in words that say what to do.

The files are read at each connect, so that renewed certificates need no restart.
"""

from __future__ import annotations

import ssl

import trio

from smppgw.config import CarrierSettings, TlsSettings

#: The port of SMPP over TLS by IANA's list ("smpp+tls"), the only one on which nobody has to ask for it.
PORT = 3550

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def is_wanted(settings: CarrierSettings, port: int) -> bool:
    """Whether a connection to `port` has TLS.

    Not set means: on port 3550. A fallback of a carrier whose first port that is has TLS too, on whatever port: its
    password is not to travel in the clear because the first endpoint is away.
    """
    if settings.tls.enabled is not None:
        return settings.tls.enabled
    return PORT in (port, settings.port)


async def wrap(stream: trio.SocketStream, settings: TlsSettings, host: str) -> trio.SSLStream[trio.SocketStream]:
    """TLS over `stream`, with the handshake done. Raises OSError that says what is wrong and what to do."""
    name = settings.server_name or host
    context = await trio.to_thread.run_sync(context_of, settings)  # the system's authorities take a while to read
    # https_compatible: many an SMSC closes without close_notify; SMPP has its unbind for that.
    wrapped = trio.SSLStream(stream, context, server_hostname=name, https_compatible=True)
    try:
        await wrapped.do_handshake()
    except trio.BrokenResourceError as error:
        text = explain(error, name)
        if _names_differ(error):
            shown = await _names_shown(stream, context, name)
            text += f", it is for {shown}; if that is who it should be, set tls.server_name"
        raise ConnectionError(f"TLS: {text}") from error
    return wrapped


def context_of(settings: TlsSettings) -> ssl.SSLContext:
    """Raises OSError that names the setting whose file cannot be used."""
    context = _trusting(settings)
    context.minimum_version = _VERSIONS[settings.min_version]
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.cert_file is not None:
        try:
            # Without a callback OpenSSL would ask for the passphrase on the terminal, and wait.
            context.load_cert_chain(settings.cert_file, settings.key_file, password=lambda: "")
        except OSError as error:
            key = settings.cert_file if settings.key_file is None else settings.key_file
            raise OSError(f"tls.cert_file {settings.cert_file}, key in {key}: {_reason(error)}") from error
    return context


def _trusting(settings: TlsSettings) -> ssl.SSLContext:
    if settings.ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(settings.ca_file))
    except OSError as error:
        raise OSError(f"tls.ca_file {settings.ca_file}: {_reason(error)}") from error


# ---------------------------------------------------------------------------------------------------------------- #
# What went wrong
# ---------------------------------------------------------------------------------------------------------------- #

#: verify_code of OpenSSL (X509_V_ERR_*, x509_vfy.h) -> what to say. Others: in OpenSSL's own words.
_DISTRUST = {
    9: "the SMSC's certificate is not valid yet; look at the clock of this machine",
    10: "the SMSC's certificate has expired; the SMSC has to renew it",
    18: "the SMSC's certificate is self-signed; to trust it, put it into tls.ca_file",
    19: "the SMSC's certificate was issued by an authority that is not trusted; put that into tls.ca_file",
    20: "the SMSC's certificate was issued by an authority that is not trusted; put that into tls.ca_file",
    21: "the SMSC's certificate was issued by an authority that is not trusted; put that into tls.ca_file",
    62: "the SMSC's certificate is for another name than {name}",
    64: "the SMSC's certificate is for another address than {name}",
}
_NAME_CODES = (62, 64)

_NO_TLS = "the other end does not speak TLS; look at the port, or set tls.enabled = false"
_CLIENT_CERTIFICATE = "the SMSC asks for a client certificate; set tls.cert_file and tls.key_file"
_OURS_REFUSED = "the SMSC does not accept our certificate (tls.cert_file): {reason}"

#: `reason` of an ssl.SSLError (OpenSSL's names of alerts, RFC 8446, 6.2) -> what to say.
_TROUBLE = {
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "RECORD_LAYER_FAILURE": _NO_TLS,
    "UNKNOWN_PROTOCOL": _NO_TLS,
    "HTTP_REQUEST": _NO_TLS,
    "PACKET_LENGTH_TOO_LONG": _NO_TLS,
    "UNEXPECTED_EOF_WHILE_READING": "the SMSC closed the connection in the middle: is there TLS on this port, and "
    "does the SMSC ask for a client certificate (tls.cert_file)?",
    "UNSUPPORTED_PROTOCOL": "the SMSC does not speak the version that tls.min_version asks for",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the SMSC does not speak the version that tls.min_version asks for",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": _CLIENT_CERTIFICATE,
    "SSLV3_ALERT_HANDSHAKE_FAILURE": f"the SMSC found nothing to agree on; perhaps {_CLIENT_CERTIFICATE}",
    "TLSV1_ALERT_UNKNOWN_CA": _OURS_REFUSED,
    "TLSV1_ALERT_ACCESS_DENIED": _OURS_REFUSED,
    "SSLV3_ALERT_BAD_CERTIFICATE": _OURS_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": _OURS_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_REVOKED": _OURS_REFUSED,
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": _OURS_REFUSED,
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": _OURS_REFUSED,
    "TLSV1_UNRECOGNIZED_NAME": "the SMSC has no certificate for {name}; set tls.server_name",
    "TLSV1_ALERT_UNRECOGNIZED_NAME": "the SMSC has no certificate for {name}; set tls.server_name",
}


def explain(error: BaseException, name: str = "it") -> str:
    """The trouble of a stream in words: that of TLS or of the socket below, which trio wraps.

    With TLS 1.3 an SMSC that misses a client certificate says so only after the handshake, in answer to the bind.
    """
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        distrust = _DISTRUST.get(cause.verify_code)
        return distrust.format(name=name) if distrust else f"the SMSC's certificate: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError) and cause.reason:
        words = _reason(cause)
        return _TROUBLE.get(cause.reason, words).format(name=name, reason=words)
    return str(cause) or type(cause).__name__


def hint(stream: trio.abc.Stream, settings: TlsSettings) -> str:
    """What may be behind the end of a session over `stream` that was closed before it was bound; '' when nothing.

    An SMSC that misses a client certificate closes after the handshake of TLS 1.3, and its reason may be lost.
    """
    if isinstance(stream, trio.SSLStream) and settings.cert_file is None:
        return "it may want a client certificate (tls.cert_file)"
    return "" if isinstance(stream, trio.SSLStream) else "it may want TLS (tls.enabled)"


def _names_differ(error: BaseException) -> bool:
    cause = error.__cause__
    return isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code in _NAME_CODES


async def _names_shown(stream: trio.SocketStream, context: ssl.SSLContext, name: str) -> str:
    """The names in the certificate. It can be read only after a handshake, so there is one more, for that alone."""
    context.check_hostname = False  # the chain is still verified: names of strangers are not shown
    host, port, *_ = stream.socket.getpeername()
    own, *_ = stream.socket.getsockname()  # the SMSC may know us by this address only
    try:
        async with await trio.open_tcp_stream(host, port, local_address=own) as again:
            wrapped = trio.SSLStream(again, context, server_hostname=name, https_compatible=True)
            await wrapped.do_handshake()
            names = [value for _, value in wrapped.getpeercert().get("subjectAltName", ())]
            await trio.aclose_forcefully(wrapped)
    except (OSError, trio.BrokenResourceError):
        return "another name"
    return ", ".join(names) or "no name at all"


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return error.strerror or str(error)
