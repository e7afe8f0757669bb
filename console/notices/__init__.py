"""Messages to people: what is told, to whom, in which words, and the jobs that find it out and send it.

It receives what the store says now and what the readers of each Notification believe, and hands finished messages
to ``lockstep.sites.channels``. It looks at states and not at events: whatever was missed is told by the next look,
and what came and went between two looks is nobody's trouble. No value of any field is ever in a message.
"""
