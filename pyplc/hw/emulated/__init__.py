"""Emulated counterparts of the devices, at the far end of their own wires: for tests, and for users who have none."""
