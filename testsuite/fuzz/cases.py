# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs: making scripts of them, running these, judging what they print."""
import os
import random
import shlex
import subprocess
import sys
import threading

import spiletest
from oracle import Machine, TooLong
from statements import Builder
from text import Writer

TARGETS = 20                    # functions of the target program
MAXLENS = (512, 512, 512, 64, 1000)
TARGET_SOURCE = '''/* SPDX-License-Identifier: GPL-2.0-or-later */
#define F(n) __attribute__((noinline)) void f##n(void) { __asm__ volatile(""); }
%s
int main(void)
{
%s	return 0;
}
''' % (''.join('F(%d)\n' % n for n in range(TARGETS)), ''.join('\tf%d();\n' % n for n in range(TARGETS)))


def maxlen_of(seed):
    """MAXSTRINGLEN of the script that a seed's program is in: the same for a batch."""
    return MAXLENS[seed // 25 % len(MAXLENS)]


class Case:
    """One program and its output."""

    def __init__(self, seed, maxlen=512, program=None):
        self.seed, self.maxlen = seed, maxlen
        turn = 0
        while True:
            self.program = program or Builder('%d/%d' % (seed, turn)).program()
            try:
                machine = Machine(self.program, maxlen)
                self.expected, self.error = machine.run(), machine.error
            except TooLong:
                self.expected = None
            turn += 1
            if self.expected is not None and len(self.expected) < 30000 or program:
                break

    def mark(self):
        return '@@ %d\n' % self.seed


def script(cases, target, own_exit=True):
    """One script of several programs."""
    out = []
    for n, c in enumerate(cases):
        w = Writer(c.program, '_%d' % c.seed if len(cases) > 1 else '')
        point = 'process(@1).function("f%d")' % n if target else 'begin(%d)' % n
        body = w.script(point)
        mark = '{\n\tprintln("%s")\n' % c.mark().strip()
        at = body.rindex('probe ' + point)
        out.append(body[:at] + body[at:].replace('{\n', mark, 1))
    if not target and own_exit:
        out.append('probe begin(%d) { exit() }\n' % len(cases))
    return ''.join(out)


def expected(cases):
    return ''.join(c.mark() + c.expected for c in cases)


def stap_options(maxlen):
    return ['--no-global-var-display', '-DMAXERRORS=1000', '-DMAXACTION=100000000', '-DMAXNESTING=40', '-DMAXSTRINGLEN=%d' % maxlen]


def difference(cases, got):
    """Each program that printed something else, with its first different line."""
    if got == expected(cases):
        return []
    bad = []
    for c in cases:
        at = got.find(c.mark())
        end = got.find('@@ ', at + 3) if at >= 0 else -1
        part = '' if at < 0 else got[at + len(c.mark()):end if end >= 0 else len(got)]
        if part != c.expected:
            bad.append((c, spiletest.difference(c.expected, part)))
    return bad or [(cases[0], 'the order of the programs differs')]


target_lock = threading.Lock()


def target_program(build):
    """The program whose functions are probed, compiled once."""
    folder = os.path.join(build.tmp, 'fuzz')
    exe = os.path.join(folder, 'target')
    with target_lock:
        if not os.path.exists(exe):
            os.makedirs(folder, exist_ok=True)
            with open(exe + '.c', 'w', encoding='utf-8') as f:
                f.write(TARGET_SOURCE)
            subprocess.run(['gcc', '-O0', '-g', '-o', exe, exe + '.c'], check=True)
    return exe


def run_argv(argv, limit, env, cwd):
    """spiletest.run() for output of any bytes."""
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env=env, cwd=cwd)
    late = False
    try:
        out, err = p.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        late = True
        p.terminate()
        out, err = p.communicate()
    return spiletest.Result(None if late else p.returncode, out.decode('latin-1'), err.decode('latin-1'))


def write_script(folder, name, cases, target):
    path = os.path.join(folder, name)
    with open(path, 'w', encoding='latin-1') as f:
        f.write(script(cases, target))
    return path


def execute(build, cases, runtime, folder, target=None):
    """Runs programs as one script on this machine."""
    target = runtime != 'user' if target is None else target
    path = write_script(folder, 'fuzz.stp', cases, target)
    argv = [build.stap, '--runtime=' + runtime] + stap_options(cases[0].maxlen)
    if target:
        exe = target_program(build)
        argv += ['-c', exe, path, exe]
    else:
        argv.append(path)
    return run_argv(argv, 120, build.env, folder)


def complaints(text):
    """Standard error without warnings and empty lines: they are a block with the line of the script each."""
    out, skip = [], False
    for line in text.split('\n'):
        if not line[:1].isspace():
            skip = line.startswith('warning[')
        if line.strip() and not skip:
            out.append(line)
    return out[:12]


def verdict(cases, res):
    """[(case, problem)]; a failure of the whole script is its first program's."""
    if res.status is None:
        return [(cases[0], 'ran into its time limit')]
    bad = difference(cases, res.out)
    failed = [c for c in cases if c.error is not None]
    if not bad:
        # An error's text ends where its place begins; it may hold line ends itself.
        bad = [(c, 'standard error lacks %r' % c.error) for c in failed if 'ERROR: %s near' % c.error not in res.err]
    count = 'Number of errors: %d, skipped probes: 0' % len(failed)
    if not bad and failed and count not in res.err:
        bad = [(failed[0], 'standard error lacks: ' + count)]
    if not bad and res.status != (1 if failed else 0):
        bad = [(cases[0], 'wrong exit status')]
    said = ['exit status %d; standard error:' % res.status] + complaints(res.err)
    return [(c, '\n'.join([problem] + said)) for c, problem in bad]


def run_batch(build, seeds, runtime, report):
    maxlen = maxlen_of(seeds[0])
    cases = [Case(s, maxlen) for s in seeds]
    folder = build.folder('fuzz-%s-%d' % (runtime, seeds[0]))
    bad = verdict(cases, execute(build, cases, runtime, folder))
    if bad and len(cases) > 1:
        # One program may take the others with it: each by itself tells which.
        bad = [b for c in cases for b in verdict([c], execute(build, [c], runtime, folder))] or bad
    settle(cases, bad, runtime, report)


def read_bytes(path):
    with open(path, encoding='latin-1', newline='') as f:
        return f.read()


def settle(cases, bad, runtime, report):
    for c, problem in bad:
        report.add('program %d [%s] MAXSTRINGLEN %d' % (c.seed, runtime, c.maxlen), problem)
    with report.lock:
        report.passed += len(cases) - len(bad)


def run_guest(opt, build, batches, report):
    """Compiles here, runs in one boot."""
    tool = os.path.join(spiletest.TOP, 'testsuite', 'guest', 'guest')
    subprocess.run([tool, 'prepare', opt.guest], check=True)
    ask = lambda what: subprocess.run([tool, what, opt.guest], check=True, text=True,
                                      stdout=subprocess.PIPE).stdout.strip()
    release, root = ask('release'), ask('root')
    job = build.folder('fuzz-guest-%s-%s' % (opt.guest, batches[0][2]))
    exe = target_program(build)
    todo = []

    def compile_one(item):
        n, seeds, runtime = item
        cases = [Case(s, maxlen_of(seeds[0])) for s in seeds]
        folder = os.path.join(job, 'obj', str(n))
        os.makedirs(folder)
        path = write_script(folder, 'fuzz.stp', cases, True)
        argv = [build.stap, '--runtime=' + runtime, '-r', release, '-p4', '-m', 'fuzz%d' % n]
        argv += stap_options(cases[0].maxlen) + [path, exe]
        res = run_argv(argv, 120, dict(build.env, SPILE_KERNEL_ROOT=root), folder)
        if res.status:
            settle(cases, verdict(cases, res), runtime, report)
            return
        made = os.path.join('/job/obj', str(n), os.path.basename(res.out.strip().split('\n')[-1]))
        todo.append((n, cases, runtime, ' '.join([build.staprun, '-c', exe, made])))

    report.each(compile_one, batches, opt.jobs)
    todo.sort(key=lambda t: t[0])
    listing = os.path.join(job, 'tests')
    with open(listing, 'w', encoding='utf-8') as f:
        for n, _, _, command in todo:
            f.write('fuzz%d\t%d\t-\t%s\n' % (n, opt.limit, command))
    env = dict(os.environ, SPILE_GUEST_SHOW=' '.join(d for d in (spiletest.TOP, build.dir) if d.startswith('/tmp/')))
    batch = subprocess.run([os.path.join(spiletest.TOP, 'testsuite', 'guest', 'run-batch'), opt.guest, listing, '-j', job,
                            '-t', str(opt.seconds)], env=env, text=True, stdout=subprocess.PIPE, check=False)
    sys.stdout.write(''.join(l + '\n' for l in batch.stdout.split('\n') if l.startswith('# ')))
    for n, cases, runtime, _ in todo:
        part = lambda ext: spiletest.read(os.path.join(job, 'res', 'fuzz%d%s' % (n, ext)))
        if part('.rc') is None:
            settle(cases, [(c, 'did not finish before the guest ended') for c in cases], runtime, report)
            continue
        res = spiletest.Result(int(part('.rc')), *(read_bytes(os.path.join(job, 'res', 'fuzz%d%s' % (n, ext)))
                                                   for ext in ('.out', '.err')))
        bad = verdict(cases, res)
        if part('.bad') and not bad:
            bad = [(cases[0], part('.bad'))]
        settle(cases, bad, '%s %s' % (opt.guest, runtime), report)
