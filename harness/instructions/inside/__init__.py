"""What runs in the worker whose instructions are counted, and in its parent. Imports nothing."""
