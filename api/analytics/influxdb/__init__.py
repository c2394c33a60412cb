"""Counts in InfluxDB 2, in the measurements and tags that Flagsmith writes and reads.

Its HTTP API takes lines of text and answers tables of text: that is what is used of it, so no client library
comes along with ways of its own to batch, to wait and to try again.
"""
