# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs: the generator. A seed always gives the same program."""
import random

from text import Program, quote

EXTREMES = [0, 1, 2, 3, 7, 10, 63, 64, 65, 100, 255, 4095, 4096, 65535, 65536, (1 << 31) - 1, 1 << 31, (1 << 32) - 1,
            1 << 32, (1 << 53) + 1, (1 << 62), (1 << 63) - 2, (1 << 63) - 1, 1 << 63]
LETTERS = 'abcdefghijklmnopqrstuvwxyzABCXYZ0123456789 _-+:,.;!?()[]{}<>/\\"\'%$#&|~^*'
ARITH = ['+', '-', '*', '&', '|', '^', '<<', '>>', '>>>']
RELATIONS = ['<', '<=', '>', '>=', '==', '!=']
STATS = ['count', 'sum', 'min', 'max', 'avg']


class Scope:
    """Where code is being generated: a handler or a function."""

    def __init__(self, function=None):
        self.function = function
        self.vars = {'i': [], 's': []}  # may be read and written
        self.fixed = []                 # integers that only loops change: may be read
        self.locals = []
        self.loops = 0
        self.iterating = []             # arrays that a foreach around goes over
        self.writes = set()             # arrays that a call of this function may change
        self.depth = 0


class Generator:
    """Makes one program."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.p = Program(seed)
        self.p.parens = self.r.choice([0, 0, 7, 19])
        self.s = Scope()
        self.writes = {}        # function: arrays that it may change
        self.next_loop = 0
        self.pure = 0           # > 0: no side effects here

    def chance(self, p):
        return self.r.random() < p

    def pick(self, xs):
        return xs[self.r.randrange(len(xs))]

    # --- leaves

    def number(self):
        k = self.r.randrange(10)
        if k < 5:
            v = self.r.randrange(0, 12)
        elif k < 8:
            v = self.pick(EXTREMES)
        else:
            v = self.r.getrandbits(self.r.choice([8, 16, 32, 62]))
        form = self.r.randrange(8)
        text = hex(v) if form == 0 else '0%o' % v if form == 1 and v else str(v)
        return ('num', text, v - (1 << 64) if v >> 63 else v)

    def small(self, end):
        v = self.r.randrange(end)
        return ('num', str(v), v)

    def string_value(self):
        k = self.r.randrange(8)
        if k == 0:
            return ''
        if k == 1:
            return str(self.r.randrange(-300, 70000))
        if k == 2:
            return ''.join(chr(self.r.choice([9, 10, 7, 127, 128, 200, 255, 33, 92, 34, 13])) for _ in range(3))
        return ''.join(self.pick(LETTERS) for _ in range(self.r.choice([1, 1, 2, 3, 5, 9, 17])))

    def string(self):
        v = self.string_value()
        if len(v) > 2 and self.chance(0.2):
            at = self.r.randrange(1, len(v))
            return ('str', quote(v[:at]) + ' ' + quote(v[at:]), v)
        return ('str', quote(v), v)

    def arrays(self, kind, write=False):
        return [g for g in self.p.globals if g.keys and g.kind == kind
                and not (write and g.name in self.s.iterating)]

    def keys(self, g, depth):
        """Keys that are likely to be there: small numbers and short strings."""
        out = []
        for k in g.keys:
            if self.chance(0.25):
                out.append(self.expr(k, depth))
            elif k == 'i':
                names = self.s.fixed + self.s.vars['i']
                out.append(('var', self.pick(names)) if names and self.chance(0.4) else self.small(4))
            else:
                v = self.pick(['a', 'b', 'ab', 'k', ''])
                names = self.s.vars['s']
                out.append(('var', self.pick(names)) if names and self.chance(0.3) else ('str', '"%s"' % v, v))
        return out

    def touched(self, name):
        self.s.writes.add(name)

    def lvalue(self, kind, depth):
        """Something of that type to write to; may be None."""
        arrays = self.arrays(kind, True)
        scalars = self.s.vars[kind] + [g.name for g in self.p.globals if not g.keys and g.kind == kind]
        if arrays and self.chance(0.35):
            g = self.pick(arrays)
            self.touched(g.name)
            return ('elem', g.name, self.keys(g, depth))
        return ('var', self.pick(scalars)) if scalars else None

    # --- expressions

    def expr(self, kind, depth):
        return self.integer(depth) if kind == 'i' else self.text(depth)

    def leaf(self, kind):
        names = self.s.vars[kind] + [g.name for g in self.p.globals if not g.keys and g.kind == kind]
        if kind == 'i':
            names = names + self.s.fixed
        if names and self.chance(0.65):
            return ('var', self.pick(names))
        return self.number() if kind == 'i' else self.string()

    def call(self, kind, depth):
        """A call of a function that yields that type (None: nothing), or None."""
        if self.pure:
            return None
        ok = [f for f in self.p.functions if f.ret == kind and f is not self.s.function
              and not self.writes[f.name] & set(self.s.iterating)]
        if not ok:
            return None
        f = self.pick(ok)
        self.s.writes |= self.writes[f.name]
        args = [self.expr(t, depth - 1) for _, t in f.params]
        if f.bounded:
            args[0] = self.small(f.bounded)
        return ('call', f.name, args)

    def integer(self, depth):
        if depth <= 0 or self.chance(0.12):
            return self.leaf('i')
        choice = self.r.randrange(100)
        for limit, make in self.INTEGERS:
            if choice < limit:
                return make(self, depth - 1) or self.leaf('i')
        return self.leaf('i')

    def i_arith(self, d):
        return ('bin', self.pick(ARITH), self.integer(d), self.integer(d))

    def i_divide(self, d):
        divisor = self.integer(d)
        if self.chance(0.8):
            divisor = ('bin', '|', divisor, ('num', '1', 1))
        return ('bin', self.pick('/%'), self.integer(d), divisor)

    def i_relation(self, d):
        kind = 'i' if self.chance(0.65) else 's'
        return ('bin', self.pick(RELATIONS), self.expr(kind, d), self.expr(kind, d))

    def i_unary(self, d):
        return ('un', self.pick('-+!~'), self.integer(d))

    def i_logic(self, d):
        return (self.pick(['and', 'or']), self.integer(d), self.integer(d))

    def i_cond(self, d):
        return ('cond', self.integer(d), self.integer(d), self.integer(d))

    def i_inc(self, d):
        lv = None if self.pure else self.lvalue('i', d)
        return lv and ('inc', self.chance(0.5), self.pick([1, -1]), lv)

    def i_assign(self, d):
        lv = None if self.pure else self.lvalue('i', d)
        if not lv:
            return None
        op = self.pick(['', '', '+', '-', '*', '&', '|', '^', '<<', '>>', '/', '%'])
        value = self.integer(d)
        if op in ('/', '%') and self.chance(0.8):
            value = ('bin', '|', value, ('num', '1', 1))
        return ('asg', op, lv, value)

    def element(self, kind, d):
        arrays = self.arrays(kind)
        if not arrays:
            return None
        g = self.pick(arrays)
        return ('elem', g.name, self.keys(g, d))

    def i_element(self, d):
        return self.element('i', d)

    def i_in(self, d):
        arrays = [g for g in self.p.globals if g.keys]
        if not arrays:
            return None
        g = self.pick(arrays)
        return ('in', g.name, self.keys(g, d))

    def i_stat(self, d):
        stats = [g for g in self.p.globals if g.kind == 'stat']
        if not stats:
            return None
        g = self.pick(stats)
        return ('stat', self.pick(STATS if self.chance(0.3) else STATS[:2]), g.name, self.keys(g, d))

    def i_call(self, d):
        return self.call('i', d)

    def i_string(self, d):
        k = self.r.randrange(4)
        if k == 0:
            return ('call', 'strlen', [self.text(d)])
        if k == 1:
            return ('call', 'isinstr', [self.text(d), self.text(min(d, 1))])
        base = self.pick([0, 2, 8, 10, 16, 36])
        return ('call', 'strtol', [self.text(d), ('num', str(base), base)])

    INTEGERS = [(24, i_arith), (32, i_divide), (46, i_relation), (53, i_unary), (61, i_logic), (66, i_cond), (71, i_inc),
                (75, i_assign), (83, i_element), (86, i_in), (90, i_stat), (95, i_call), (100, i_string)]

    def text(self, depth):
        if depth <= 0 or self.chance(0.15):
            return self.leaf('s')
        choice = self.r.randrange(100)
        for limit, make in self.TEXTS:
            if choice < limit:
                return make(self, depth - 1) or self.leaf('s')
        return self.leaf('s')

    def s_cat(self, d):
        return ('cat', self.text(d), self.text(d))

    def s_cond(self, d):
        return ('cond', self.integer(d), self.text(d), self.text(d))

    def s_element(self, d):
        return self.element('s', d)

    def s_assign(self, d):
        lv = None if self.pure else self.lvalue('s', d)
        return lv and ('asg', self.pick(['', '.']), lv, self.text(d))

    def s_call(self, d):
        return self.call('s', d)

    def s_substr(self, d):
        at = lambda: self.integer(d) if self.chance(0.3) else self.small(8)
        return ('call', 'substr', [self.text(d), at(), at()])

    def s_sprint(self, d):
        kind = self.pick(['sprint', 'sprintln', 'sprintd', 'sprintdln'])
        return ('sprint', kind, self.printed(kind, d))

    def s_sprintf(self, d):
        return ('sprintf', *self.format(d))

    TEXTS = [(30, s_cat), (38, s_cond), (50, s_element), (57, s_assign), (66, s_call), (80, s_substr), (88, s_sprint),
             (100, s_sprintf)]

    def printed(self, kind, d):
        args = [self.expr(self.pick('is'), d) for _ in range(self.r.randrange(1, 5))]
        if 'printd' in kind:
            args.insert(0, self.string())
        return args

    def format(self, d):
        pieces, args = [], []
        for _ in range(self.r.randrange(1, 5)):
            if self.chance(0.5):
                lit = self.string_value()
                if lit and not (pieces and isinstance(pieces[-1], str)):
                    pieces.append(lit)
            pieces.append(self.conversion(args, d))
        return pieces, args

    def conversion(self, args, d):
        conv = self.r.choice('dddduixXocsssp')
        flags = {'d': '0+- ', 'i': '0+- ', 's': '-#', 'c': '-#', 'p': '', 'u': '0-', 'x': '0-#', 'X': '0-#', 'o': '0-#'}
        flag = self.pick(flags[conv]) if flags[conv] and self.chance(0.4) else ''
        width, prec = '', None
        if self.chance(0.4):
            width = '*' if self.chance(0.2) else str(self.r.randrange(1, 30))
        if conv not in 'cp' and self.chance(0.25):
            prec = '*' if self.chance(0.2) else self.pick(['', '0', '1', '3', '9', '20'])
        for size in (width, prec):
            if size == '*':
                args.append(self.small(25))
        if conv == 'c':
            args.append(('bin', '+', ('bin', '&', self.integer(d), ('num', '15', 15)), ('num', '65', 65)))
        else:
            args.append(self.expr('s' if conv == 's' else 'i', d))
        return (flag, width, prec, ('l' if conv in 'duxo' and self.chance(0.2) else '') + conv)

