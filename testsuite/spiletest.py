# SPDX-License-Identifier: GPL-2.0-or-later
"""What the test runners share: the build under test, running commands with a limit, counting."""
import concurrent.futures
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUMMARY = re.compile(r'^(\d+) passed, (\d+) failed$')


class Result:
    """How a command ended. status is None when it ran into its limit."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


def run(argv, limit, env=None, cwd=None):
    """Runs argv in a process group of its own, which is ended as a whole after limit seconds."""
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         env=env, cwd=cwd, start_new_session=True)
    status = None
    try:
        out, err = p.communicate(timeout=limit)
        status = p.returncode if p.returncode >= 0 else 128 - p.returncode
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGTERM)
        try:
            out, err = p.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            out, err = p.communicate()
    return Result(status, out.decode('utf-8', 'replace'), err.decode('utf-8', 'replace'))


class Build:
    """A build folder: its programs, the environment that runs them uninstalled, room for test files."""

    def __init__(self, folder):
        self.dir = os.path.abspath(folder)
        self.stap = os.path.join(self.dir, 'stap')
        self.staprun = os.path.join(self.dir, 'staprun', 'staprun')
        self.tmp = os.path.join(self.dir, 'check-tmp')
        if not os.access(self.stap, os.X_OK):
            sys.exit('%s is not there: build first (make -C %s)' % (self.stap, self.dir))
        os.makedirs(self.tmp, exist_ok=True)
        self.env = dict(os.environ, LC_ALL='C.UTF-8', TERM='dumb', **self.settings())
        for name in ('STAP_COLOR', 'NO_COLOR'):
            self.env.pop(name, None)

    def settings(self):
        return {'SPILE_TAPSET_DIR': os.path.join(TOP, 'tapsets'),
                'SPILE_RUNTIME_DIR': os.path.join(self.dir, 'runtime'),
                'SPILE_STAPRUN': self.staprun}

    def folder(self, *parts):
        """An empty folder for one test."""
        path = os.path.join(self.tmp, *parts)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path


class Report:
    """Counts tests; tells about each failure at once, about successes with verbose."""

    def __init__(self, verbose=False):
        self.passed = self.failed = 0
        self.verbose = verbose
        self.lock = threading.Lock()

    def add(self, name, problem=None):
        with self.lock:
            if problem:
                self.failed += 1
                print('FAIL %s' % name)
                for line in problem.rstrip('\n').split('\n')[:60]:
                    print('     %s' % line)
            else:
                self.passed += 1
                if self.verbose:
                    print('ok   %s' % name)
            sys.stdout.flush()

    def each(self, work, items, jobs=2):
        """Calls work(item) for every item, some at a time. A crash of the runner is a failed test."""
        def one(item):
            try:
                work(item)
            except Exception as e:  # pylint: disable=broad-except
                self.add(str(item[0] if isinstance(item, tuple) else item), 'the test runner failed: %r' % e)
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            list(pool.map(one, items))

    def finish(self):
        print('%d passed, %d failed' % (self.passed, self.failed))
        return 1 if self.failed else 0


def header(path, mark):
    """The "key: value" comment lines at the top of a test."""
    keys = {}
    with open(path, encoding='utf-8', errors='replace') as f:
        for line in f:
            line = line.strip()
            if line.startswith('#!') or not line:
                continue
            if not line.startswith(mark):
                break
            m = re.match(r'([a-z-]+):\s*(.*)$', line[len(mark):].strip())
            if m:
                keys[m.group(1)] = m.group(2)
    return keys


def read(path):
    """A file's text, or None when there is no such file."""
    try:
        with open(path, encoding='utf-8', errors='replace') as f:
            return f.read()
    except FileNotFoundError:
        return None


def difference(want, got):
    """The first lines that differ, for a person."""
    if want == got:
        return ''
    w, g = want.split('\n'), got.split('\n')
    for i in range(max(len(w), len(g))):
        a = w[i] if i < len(w) else None
        b = g[i] if i < len(g) else None
        if a != b:
            return 'line %d of the output:\n  want %r\n  got  %r' % (i + 1, a, b)
    return 'output differs'


def missing_lines(want, text):
    """The lines of a .err file that do not occur in text."""
    return [l for l in want.split('\n') if l.strip() and l.strip() not in text]
