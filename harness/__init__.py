"""How poolstart measures. `benchmarks/` names what is measured; nothing here imports it."""
