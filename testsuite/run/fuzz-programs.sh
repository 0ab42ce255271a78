#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run: kernel bpf
# timeout: 240
# slow: yes
# needs: 5.17
# Random programs as probes of a program's functions; among the seeds are those that found faults.
set -eu
"$TOP/testsuite/fuzz/programs" run --build "$(dirname "$STAP")" --runtime "$RUNTIME" --keep-going 3 \
	30 107 $(seq 42 60 | grep -v 51)
