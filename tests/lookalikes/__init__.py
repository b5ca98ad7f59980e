"""Tests of harness/lookalikes."""
