"""How far the doctor can be trusted: programs of the tests, looked at many times beside a busy core.

Only `poolstart record doctor` needs it, in a checkout: the programs are in tests/doctor/victims/.
"""
