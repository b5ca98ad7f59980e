"""What is measured: thin asv classes, one module a subject. How it is measured is in `harness/`.

Every benchmark returns samples, in seconds or bytes: asv keeps their median with its 99 % interval and
quartiles. All of one subject share their lifecycles (`harness.lifecycle.batches`).
"""
