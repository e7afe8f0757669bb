"""Why a server that answers is not believed, by what OpenSSL says of it. Pure."""

from __future__ import annotations

from lockstep import errors


def of(where: str, said: str) -> errors.UnreachableError | None:
    """The error for a server that answers and cannot be believed, by what OpenSSL says; None when it is something else.

    Args:
        where: The server.
        said: OpenSSL's words, such as ``[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: ... (_ssl.c:1)``.
    """
    if "CERTIFICATE_VERIFY_FAILED" in said:
        why = said.partition("verify failed: ")[2].partition(" (_ssl")[0] or said
        if "expired" in why or "not yet valid" in why:
            remedy = "Renew it there, or set the clock that is wrong."
        else:
            remedy = "Give its authority in `ca`, or mend the certificate."
        return errors.UnreachableError(f"{where} shows a certificate that is not believed: {why}.", remedy=remedy)
    if "WRONG_VERSION_NUMBER" in said or "RECORD_LAYER_FAILURE" in said:
        return errors.UnreachableError(
            f"{where} does not speak TLS.", remedy="Write http:// in its URL if that is meant, or mend the port."
        )
    return None
