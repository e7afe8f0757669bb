"""Channels to people and to their programs: chat and mail by Apprise, signed Standard Webhooks.

It receives a finished message and the secrets of one channel, hands it to that channel once, and says what became
of it. It decides neither what is told nor when it is tried again, and it never says a URL: that is a secret.
"""

from lockstep.sites.channels.signing import key_of, sign
from lockstep.sites.channels.standard import Message, Receiver

__all__ = ["Message", "Receiver", "key_of", "sign"]
