"""OFREP, the OpenFeature Remote Evaluation Protocol: flags for any OpenFeature provider.

Plain functions, as those beside this package: `requests` reads what providers send, `items` says what a
flag is in the protocol's words, `answers` joins that to what is sent.
"""
