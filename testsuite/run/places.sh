#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: bpf
# slow: yes
# timeout: 600
# The table of places (testsuite/places): every variable that a probe prints against what the program prints, 32 programs.
set -eu
python3 "$TOP/testsuite/places/places.py" --stap "$STAP" --runtime "$RUNTIME" --tmp "$TMP"
