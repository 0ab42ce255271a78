#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of places: what probes print of a program's variables against what the program itself prints.

  places.py --stap STAP --runtime bpf|kernel --tmp DIR [--only WORD[,WORD...]]

places.c is compiled by gcc and clang, with -O0 and -O2, DWARF 4 and 5, as PIE and not, each with its debug information
inside and in a file of its own (compressed; through dwz where that is installed). A script of all probes runs over each of
the programs. A variable that the compiler dropped must be told as such, and only where the debug information, as
llvm-dwarfdump shows it, has no place for it either.
"""
import argparse
import concurrent.futures
import itertools
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import oracle  # noqa: E402  pylint: disable=wrong-import-position

SOURCES = ['places.c', 'places2.c']
SEE = re.compile(r'SEE\("([^"]+)", "((?:[^"\\]|\\.)+)"')
ANCHOR = re.compile(r'/\* at (\w+) \*/')
RUNS = 4  # at once
# Of the programs with separate debug files these are run; for the others it is enough when the handlers are the same
# as for the whole file: each probe takes 0.1 s to remove.
RUN_SPLIT = ('gcc-O2-dwarf5-pie', 'clang-O2-dwarf4-nopie')
KINDS = ('call', 'return', 'inline', 'at')
# a variable in a row's script, with what stands behind it
TERM = re.compile(r'&?(?:\$\w+|@(?:var|cast|entry)\((?:[^()]|\([^()]*\))*\))(?:->\w+|\[[^\]]*\])*')


class Row:
    """One probe point and expression."""

    def __init__(self, point, script):
        self.point, self.script = point, script
        self.kind, self.word = point.split()
        self.name = '%s|%s' % (point, script)

    def variables(self):
        """The variables that it reads, as name and unit; the unit is None for those of the probed place."""
        return [(m.group(1) or m.group(2), m.group(3))
                for m in re.finditer(r'\$(\w+)|@var\("(\w+)@?([^"]*)"\)', self.script)]


def read_rows():
    """All rows in order, without repetition; and the lines of the places that are named "at"."""
    rows, lines = {}, {}
    for src in SOURCES:
        with open(os.path.join(HERE, src), encoding='utf-8') as f:
            for n, line in enumerate(f, 1):
                for m in SEE.finditer(line):
                    r = Row(m.group(1), m.group(2).replace('\\"', '"'))
                    rows.setdefault(r.name, r)
                m = ANCHOR.search(line)
                if m and 'SEE' not in line:
                    lines[m.group(1)] = '*@%s:%d' % (src, n)
    return [r for r in rows.values() if r.kind in KINDS], lines


def point_text(row, lines):
    """The row's probe point in a script whose first argument is the program."""
    if row.kind == 'at':
        return 'process(@1).statement("%s")' % lines[row.word]
    return 'process(@1).function("%s").%s' % (row.word, row.kind)


def text(s):
    """As a string of the script, for printf."""
    return s.replace('\\', '\\\\').replace('"', '\\"').replace('%', '%%')


def write_script(rows, lines, path):
    with open(path, 'w', encoding='utf-8') as f:
        for point, group in itertools.groupby(sorted(rows, key=lambda r: r.point), lambda r: r.point):
            group = list(group)
            f.write('probe %s {\n' % point_text(group[0], lines))
            for r in group:
                terms = [] if '@defined' in r.script else TERM.findall(r.script)
                defined = ' && '.join('@defined(%s)' % t for t in terms) or '1'
                f.write('\tif (%s) {\n\t\ttry { printf("%s|%%d\\n", %s) } catch (m) { printf("%s|%%s\\n", m) }\n'
                        '\t} else\n\t\tprintf("%s|=?\\n")\n'
                        % (defined, text(r.name), r.script, text(r.name), text(r.name)))
            f.write('}\n')


def run(command, **more):
    return subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def variants(tmp):
    """Programs of the matrix: name and compile command; those with a separate debug file are made of the others."""
    for cc, opt, dwarf, pie in itertools.product(('gcc', 'clang'), ('O0', 'O2'), ('4', '5'), ('pie', 'nopie')):
        if not shutil.which(cc):
            continue
        exe = os.path.join(tmp, '-'.join((cc, opt, 'dwarf' + dwarf, pie)))
        yield exe, [cc, '-' + opt, '-gdwarf-' + dwarf, '-pthread', '-Wno-pragmas'] + (
            ['-fPIE', '-pie'] if pie == 'pie' else ['-fno-pie', '-no-pie']) + [
                '-o', exe] + [os.path.join(HERE, s) for s in SOURCES]


def split(exe):
    """A stripped copy whose debug information lies beside it, compressed."""
    out, debug = exe + '-split', exe + '-split.debug'
    subprocess.run(['objcopy', '--only-keep-debug', exe, debug], check=True)
    if shutil.which('dwz'):
        run(['dwz', debug])  # leaves as it is what it does not know, such as clang's .debug_addr
    subprocess.run(['objcopy', '--compress-debug-sections', debug], check=True)
    subprocess.run(['objcopy', '--strip-all', '--add-gnu-debuglink=' + debug, exe, out], check=True)
    return out


def group_values(lines):
    """Row name -> its values in order."""
    found = {}
    for line in lines:
        name, _, value = line.rpartition('|')
        found.setdefault(name, []).append(value)
    return found


class Judge:
    """Compares one program's run with its probes' output."""

    def __init__(self, exe, rows, lines, log):
        self.exe, self.rows, self.lines, self.log = exe, rows, lines, log
        self.ok = self.dropped = self.bad = 0

    def fault(self, row, what):
        self.bad += 1
        self.log.append('%s: %s: %s' % (os.path.basename(self.exe), row.name, what))

    def judge(self, want, have):
        dwarf = oracle.Dwarf(self.exe.removesuffix('-split'), SOURCES)
        for row in self.rows:
            w, h = want.get(row.name), have.get(row.name)
            if w is None:
                self.fault(row, 'the program did not come there')
            elif h is None:
                self.fault(row, 'the probe did not hit')
            elif h == w:
                self.ok += 1
            elif len(h) == len(w) and all(a in (b, '=?') for a, b in zip(h, w)):
                why = dwarf.has_place(row, self.lines)
                if why:
                    self.fault(row, '=? but debug information has %s' % why)
                else:
                    self.dropped += 1
            else:
                self.fault(row, 'the probe has %s, the program %s' % (' '.join(h), ' '.join(w)))


def handlers(opts, exe, script):
    """What pass 2 makes of the script for a program, without the program's name."""
    res = run([opts.stap, '--runtime=' + opts.runtime, '--dump-ir', script, exe])
    return re.sub(r'stap_\w+', '', res.stdout.replace(exe, '')) if res.returncode == 0 else None


def check(opts, exe, script, rows, lines):
    """One program: how many rows are right, dropped and wrong, and messages."""
    log, out = [], exe + '.values'
    whole = exe.removesuffix('-split')
    if whole != exe and os.path.basename(whole) not in RUN_SPLIT:
        same = handlers(opts, exe, script)
        if same and same == handlers(opts, whole, script):
            return 0, 0, 0, ['the same handlers as for the whole file']
    res = run([opts.stap, '--runtime=' + opts.runtime, '-c', exe, script, exe], env=dict(os.environ, PLACES_OUT=out))
    if res.returncode != 0 or re.search('^(ERROR|WARNING)', res.stderr, re.M):
        return 0, 0, 1, ['%s: stap failed\n%s' % (os.path.basename(exe), res.stderr)]
    with open(out, encoding='utf-8') as f:
        want = group_values(f.read().splitlines())
    j = Judge(exe, rows, lines, log)
    j.judge(want, group_values(res.stdout.splitlines()))
    return j.ok, j.dropped, j.bad, log


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument('--stap', required=True)
    ap.add_argument('--runtime', default='bpf')
    ap.add_argument('--tmp', required=True)
    ap.add_argument('--only', help='programs whose names have one of these words')
    opts = ap.parse_args()
    rows, lines = read_rows()
    if len(rows) < 100:
        sys.exit('only %d rows' % len(rows))
    script = os.path.join(opts.tmp, 'places.stp')
    write_script(rows, lines, script)
    wanted = [v for v in variants(opts.tmp)
              if not opts.only or any(w in (v[0], os.path.basename(v[0])) for w in opts.only.split(','))]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for res in pool.map(run, [c for _, c in wanted]):
            if res.returncode:
                sys.exit('the program does not compile:\n' + res.stderr)
    exes = [e for v in wanted for e in (v[0], split(v[0]))]
    with concurrent.futures.ThreadPoolExecutor(RUNS if opts.runtime == 'bpf' else 1) as pool:
        for exe, (ok, dropped, wrong, log) in zip(
                exes, pool.map(lambda e: check(opts, e, script, rows, lines), exes)):
            print('%-32s %d right, %d dropped, %d wrong' % (os.path.basename(exe), ok, dropped, wrong))
            for line in log:
                print('  ' + line)
            bad += wrong
    sys.exit(bad != 0)


if __name__ == '__main__':
    main()
