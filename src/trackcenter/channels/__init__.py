"""Billing snapshot in, rendered message out: pure, the same input gives the same bytes.

Nothing here reads a database, a clock or a setting; the only files read are the templates and
texts that ship beside the code. Each channel has its folder; what they share (the snapshot, the
facts of a bill, formats by locale, the sender) stands here.
"""
