"""The inside of a locked process: no module here may import more than NumPy, numba and its neighbours."""
