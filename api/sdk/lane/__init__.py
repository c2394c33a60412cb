"""The SDKs' own way through the server: on the event loop, from memory, without Django.

An optimisation of the views in `sdk.views`, never a second implementation: bodies and headers come from the
same functions in `sdk.payloads`, what middleware adds comes from the middleware itself, and what is out of
the ordinary is left to Django.
"""
