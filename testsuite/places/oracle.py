# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether debug information has a place for a variable at an address: read from what readelf prints, not by our code."""


class Dwarf:
    def __init__(self, exe):
        self.exe = exe

    def has_place(self, row, lines):
        return None
