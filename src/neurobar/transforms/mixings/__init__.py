"""What replaces parts of an anchor by parts of its donor, one module for each mixing.

A mixing is a module with one function, found by the module's name (config key `mixing`)::

    choose_voxels(*, ratio, regions, generator, **mixing_settings) -> bool (N, 1, D, H, W)

which is True where the donor replaces the anchor. `ratio` (N,) is the part of the brain that shall be replaced.
"""
