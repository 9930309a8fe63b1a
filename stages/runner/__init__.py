"""Stages side by side: what to run, in which order, how many at a time, and for how long."""
