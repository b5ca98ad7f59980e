"""Two sides measured in interleaved pairs."""
