"""How each member of the zoo is trained: `python -m helpers.world.train NAME`, resumable (see common.py)."""
