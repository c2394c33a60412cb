"""Telling SDKs at once that an environment has changed, by streams of server-sent events.

An event says that there is something new, never what: whoever hears it asks again.
"""
