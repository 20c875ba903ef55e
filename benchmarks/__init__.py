"""How fast is it? Every guided step of ours beside the same step in the manner of its original.

    python -m benchmarks [CASE …]           # or make bench; a table, and assets/bench.json
    python -m benchmarks race [CASE …]      # seconds until a picture pleases as much
    python -m benchmarks gpu [CASE …]       # larger pictures, on cards of 4 to 16 GB; the table of the README

cases.py says what is measured, ours.py and originals.py make the two steps of one record of knobs,
worker.py takes one measurement in a process of its own. Networks have the published shapes and random
weights: speed does not depend on what they learned.
"""
