"""Baseline systems that echoic is compared with, built with the same care as its own."""
