"""Figures for Prometheus. Nothing here is imported unless `PROMETHEUS_ENABLED` is on.

The server's processes share their figures in a folder, `PROMETHEUS_MULTIPROC_DIR`, so that whichever of them
is asked answers for all. What is counted for each request is added up in memory and written there every
second: writing at once would take longer than answering from memory does.
"""
