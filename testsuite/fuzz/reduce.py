# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs: the smallest part of a failing program that still fails in the same way."""
import copy
import re
import sys

import cases
from statements import called_functions

BODIES = {'if': (2, 3), 'while': (2,), 'for': (4,), 'foreach': (6,), 'block': (1,), 'try': (1, 3)}


def bodies_of(program):
    """Every list of statements, outermost first."""
    todo, out = [program.body] + [f.body for f in program.functions], []
    while todo:
        body = todo.pop(0)
        out.append(body)
        for s in body:
            todo += [s[i] for i in BODIES.get(s[0], ()) if s[i]]
    return out


def kind_of(bad):
    """What went wrong, without what a smaller program would say differently."""
    if not bad:
        return None
    text = bad[0][1]
    m = re.search(r'error\[[^]]*\]: \S+|frames|verifier|time limit|Sanitizer|ERROR: \S+|Pass \d', text)
    return m.group(0) if m else 'output'


def without_unused(program):
    program.functions = [f for f in program.functions if f.name in called_functions(program)]
    used = repr((program.body, [f.body for f in program.functions]))
    program.globals = [g for g in program.globals if "'%s'" % g.name in used]
    return program


def statement_cuts(program):
    """Smaller programs: without some statements, or with a compound statement replaced by its parts."""
    for b in range(len(bodies_of(program))):
        size = len(bodies_of(program)[b])
        step = max(1, size)
        while step:
            at = 0
            while at < len(bodies_of(program)[b]):
                p = copy.deepcopy(program)
                del bodies_of(p)[b][at:at + step]
                yield p
                at += step
            step //= 2
        for at in range(size):
            s = bodies_of(program)[b][at]
            for i in BODIES.get(s[0], ()):
                if s[i]:
                    p = copy.deepcopy(program)
                    bodies_of(p)[b][at:at + 1] = bodies_of(p)[b][at][i]
                    yield p


def expression_slots(x, out):
    """(container, index) of every expression below a statement list."""
    for i, y in enumerate(x):
        if isinstance(y, tuple) and y and isinstance(y[0], str):
            out.append((x, i))
            expression_slots(y, out)
        elif isinstance(y, (list, tuple)):
            expression_slots(y, out)


def thaw(x):
    """The same with lists for tuples, so that parts can be replaced in place."""
    return [thaw(y) for y in x] if isinstance(x, (list, tuple)) else x


SUB = {'bin': (2, 3), 'cat': (1, 2), 'un': (2,), 'and': (1, 2), 'or': (1, 2), 'cond': (2, 3, 1), 'asg': (3,)}
INTEGER = {'num', 'bin', 'un', 'and', 'or', 'in', 'stat', 'inc'}
TEXT = {'str', 'cat', 'sprint', 'sprintf'}


def replace(x, old, new):
    """x with the tuple that is @old (by identity) replaced."""
    if x is old:
        return new
    if isinstance(x, tuple):
        return tuple(replace(y, old, new) for y in x)
    if isinstance(x, list):
        return [replace(y, old, new) for y in x]
    return x


def expressions(x, out):
    if isinstance(x, tuple) and x and isinstance(x[0], str) and x[0] in INTEGER | TEXT | set(SUB) | {'call', 'elem', 'var'}:
        out.append(x)
    if isinstance(x, (list, tuple)):
        for y in x:
            expressions(y, out)
    return out


def expression_cuts(program):
    """Programs in which one expression is replaced by a part of it or by a constant."""
    everything = [program.body] + [f.body for f in program.functions]
    for e in expressions(everything, []):
        news = [e[i] for i in SUB.get(e[0], ())]
        if e[0] in INTEGER and e[0] != 'num':
            news.append(('num', '1', 1))
        if e[0] in TEXT and e[0] != 'str':
            news.append(('str', '"s"', 's'))
        for new in news:
            p = copy.copy(program)
            p.functions = [copy.copy(f) for f in program.functions]
            p.body = replace(program.body, e, new)
            for f in p.functions:
                f.body = replace(f.body, e, new)
            yield p


def minimise(build, seed, runtime, target, maxlen=None):
    maxlen = maxlen or cases.maxlen_of(seed)
    folder = build.folder('fuzz-reduce-%d' % seed)
    target = target or runtime != 'user'

    def fails(program):
        try:
            c = cases.Case(seed, maxlen, program)
        except Exception:  # pylint: disable=broad-except
            return None     # not a valid program any more
        if c.expected is None:
            return None
        return kind_of(cases.verdict([c], cases.execute(build, [c], runtime, folder, target)))

    best = cases.Case(seed, maxlen).program
    wanted = fails(best)
    if not wanted:
        print('program %d does not fail' % seed)
        return 0
    smaller = True
    while smaller:
        smaller = False
        for cuts in (statement_cuts, expression_cuts):
            again = True
            while again:
                again = False
                for p in cuts(best):
                    if fails(without_unused(p)) == wanted:
                        best, again, smaller = p, True, True
                        break
    c = cases.Case(seed, maxlen, best)
    sys.stdout.write(cases.script([c], target))
    print('# expected, and what it says (MAXSTRINGLEN %d):' % maxlen)
    sys.stdout.write(c.expected)
    res = cases.execute(build, [c], runtime, folder, target)
    print('# exit status %s\n%s%s' % (res.status, res.out, '\n'.join(cases.complaints(res.err))))
    return 1
