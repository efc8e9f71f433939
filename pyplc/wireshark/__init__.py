"""What Wireshark gets from pyplc: a dissector in Lua, colouring rules and a profile, a live capture."""
