"""`manage.py doctor`: what is in force in this installation, and what of it is unsafe.

Each subject is looked at by a function that yields findings, in words that show no secret: `of_settings` with
nothing but this process, `of_databases` with a deadline on every step, so that an answer comes whatever is
away.
"""
