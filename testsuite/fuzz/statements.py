# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs: statements, functions and the program as a whole."""
from gen import Generator, Scope, STATS
from text import Function, Global


class Builder(Generator):
    """Makes one program."""

    def program(self):
        self.declare()
        for n in range(self.r.choice([0, 1, 2, 3, 4])):
            self.function(n)
        self.s = Scope()
        self.add_locals(self.r.choice([2, 3, 4, 6, 12, 24]))
        body = self.start_values()
        for _ in range(self.r.randrange(2, 7)):
            name = self.new_local('s', 'm')
            group = self.statements(self.r.randrange(1, 7), 3)
            # the handler may leave early: rarely, since what follows is then not tested
            if self.chance(0.03):
                group.append(['next'])
            body.append(['try', group, name, [['print', 'println', [self.lit('! '), ('var', name)]]]])
        body += self.dump()
        if self.chance(0.1):
            body += [['print', 'println', [self.lit('last')]]] + self.statements(2, 2)
            body += [['expr', ('call', 'error', [('cat', self.lit('uncaught '), self.text(2))])],
                     ['print', 'println', [self.lit('not reached')]]]
        self.p.body, self.p.locals = body, self.s.locals
        self.untype()
        return self.p

    def untype(self):
        """Leaves out the types of some functions whose calls and returns tell them."""
        called = called_functions(self.p)
        for f in self.p.functions:
            tells = not f.ret or f.body[-1:] and f.body[-1][0] == 'return'
            if f.name in called and tells and self.chance(0.4):
                f.typed = False

    @staticmethod
    def lit(text):
        return ('str', '"%s"' % text, text)

    def declare(self):
        add = self.p.globals.append
        for n in range(self.r.randrange(0, 4)):
            init = self.r.choice([None, self.r.randrange(-50, 1 << 40)])
            add(Global('gi%d' % n, 'i', init=init))
        for n in range(self.r.randrange(0, 3)):
            add(Global('gs%d' % n, 's', init=self.r.choice([None, self.string_value()])))
        for n in range(self.r.randrange(0, 4)):
            count = self.r.choice([1, 1, 1, 1, 2, 2, 3, 5, 9])
            keys = ''.join(self.pick('iis') for _ in range(count))
            size = self.r.choice([None, None, 2, 3, 8])
            add(Global('A%d' % n, self.pick('iis'), keys, size, bool(size) and self.chance(0.5)))
        for n in range(self.r.choice([0, 0, 1, 2])):
            keys = ''.join(self.pick('is') for _ in range(self.r.choice([0, 1, 1, 2])))
            add(Global('S%d' % n, 'stat', keys))

    def new_local(self, kind, prefix):
        name = '%s%d' % (prefix, len(self.s.locals))
        self.s.locals.append((name, kind))
        return name

    def add_locals(self, n):
        for _ in range(n):
            kind = self.pick('iis')
            self.s.vars[kind].append(self.new_local(kind, 'x' if kind == 'i' else 't'))

    def start_values(self):
        out = []
        for kind in 'is':
            for v in self.s.vars[kind]:
                value = self.number() if kind == 'i' else self.string()
                out.append(['expr', ('asg', '', ('var', v), value)])
        for g in self.p.globals:
            # types of keys and values come from here at the least
            if not g.keys and g.kind != 'stat' and g.init is None:
                value = self.string() if g.kind == 's' else self.number()
                out.append(['if', ('num', '0', 0), [['expr', ('asg', '', ('var', g.name), value)]], None])
            if g.keys:
                lv = ('elem', g.name, [self.number() if k == 'i' else self.string() for k in g.keys])
                value = self.string() if g.kind == 's' else self.number()
                out.append(['expr', ('asg', '<<<' if g.kind == 'stat' else '', lv, value)])
                if self.chance(0.4):
                    out.append(['delete', ('var', g.name)])
        return out

    def function(self, n):
        ret = self.pick('iisN')
        ret = None if ret == 'N' else ret
        params = [('p%d' % i, self.pick('iis')) for i in range(self.r.randrange(0, 4))]
        recursive = self.chance(0.3)
        if recursive:
            params.insert(0, ('d', 'i'))
        f = Function('f%d' % n, params, ret, True)
        f.bounded = 4 if recursive else 0
        self.s = Scope(f)
        if recursive:
            self.s.fixed.append('d')
        self.s.vars['i'] += [p for p, t in params if t == 'i' and p != 'd']
        self.s.vars['s'] += [p for p, t in params if t == 's']
        self.add_locals(self.r.randrange(0, 4))
        f.body = [['expr', ('asg', '', ('var', name), self.number() if kind == 'i' else self.string())]
                  for name, kind in self.s.locals]
        if recursive:
            stop = [['return', self.expr(ret, 1) if ret else None]]
            f.body.append(['if', ('bin', '<=', ('var', 'd'), ('num', '0', 0)), stop, None])
        f.body += self.statements(self.r.randrange(1, 5), 2)
        if recursive:
            f.body += self.recurse(f)
        if ret and self.chance(0.9):
            f.body.append(['return', self.expr(ret, 2)])
        f.locals = self.s.locals
        self.writes[f.name] = self.s.writes
        self.p.functions.append(f)

    def recurse(self, f):
        args = [('bin', '-', ('var', 'd'), ('num', '1', 1))] + [self.expr(t, 1) for _, t in f.params[1:]]
        call = ('call', f.name, args)
        if not f.ret:
            return [['expr', call]]
        targets = self.s.vars[f.ret]
        if targets and self.chance(0.5):
            return [['expr', ('asg', '', ('var', self.pick(targets)), call)]]
        return [['print', 'println', [call]]]

    # --- statements

    def statements(self, n, depth):
        out = []
        for _ in range(n):
            s = self.statement(depth)
            if s:
                out += s
        return out

    def statement(self, depth):
        """A list of statements, or None."""
        choice = self.r.randrange(100)
        table = self.SIMPLE if depth <= 0 or self.chance(0.5) else self.NESTED
        for limit, make in table:
            if choice < limit:
                return make(self, depth - 1)
        return None

    def t_assign(self, d):
        kind = self.pick('iis')
        e = self.i_assign(3) if kind == 'i' else self.s_assign(3)
        return e and [['expr', e]]

    def t_inc(self, d):
        e = self.i_inc(2)
        return e and [['expr', e]]

    def t_sample(self, d):
        stats = [g for g in self.p.globals if g.kind == 'stat' and g.name not in self.s.iterating]
        if not stats:
            return None
        g = self.pick(stats)
        self.touched(g.name)
        lv = ('elem', g.name, self.keys(g, 1)) if g.keys else ('var', g.name)
        return [['expr', ('asg', '<<<', lv, self.integer(2))]]

    def t_print(self, d):
        kind = self.pick(['print', 'println', 'println', 'printd', 'printdln'])
        return [['print', kind, self.printed(kind, 3)]]

    def t_printf(self, d):
        return [['printf', *self.format(2)]]

    def t_delete(self, d):
        ok = [g for g in self.p.globals if g.name not in self.s.iterating]
        if not ok:
            return None
        g = self.pick(ok)
        self.touched(g.name)
        if g.keys and self.chance(0.75):
            return [['delete', ('elem', g.name, self.keys(g, 1))]]
        return [['delete', ('var', g.name)]]

    def t_call(self, d):
        e = self.call(self.pick(['i', 's', None, None]), 2)
        return e and [['expr', e]]

    def t_error(self, d):
        if self.chance(0.7):
            return None
        guard = self.integer(2)
        return [['if', guard, [['expr', ('call', 'error', [self.text(2)])]], None]]

    def t_leave(self, d):
        if not self.s.loops:
            return None
        return [['if', self.integer(2), [[self.pick(['break', 'continue'])]], None]]

    def t_return(self, d):
        f = self.s.function
        if not f and self.chance(0.1):
            return [['if', self.integer(3), [['next']], None]]
        if not f or self.chance(0.5):
            return None
        value = self.expr(f.ret, 2) if f.ret else None
        return [['if', self.integer(1), [['return', value]], None]]

    def t_null(self, d):
        return [['null']] if self.chance(0.2) else [['expr', self.integer(3)]]

    SIMPLE = [(30, t_assign), (38, t_inc), (48, t_sample), (62, t_print), (74, t_printf), (80, t_delete), (86, t_call),
              (89, t_error), (94, t_leave), (96, t_return), (100, t_null)]

    def body(self, d):
        return self.statements(self.r.randrange(1, 4), d)

    def n_if(self, d):
        other = self.body(d) if self.chance(0.5) else None
        return [['if', self.integer(3), self.body(d), other]]

    def loop_var(self):
        name = 'n%d' % len(self.s.locals)
        self.s.locals.append((name, 'i'))
        return name

    def loop_body(self, name, d):
        self.s.fixed.append(name)
        self.s.loops += 1
        out = self.body(d)
        self.s.loops -= 1
        return out

    def n_for(self, d):
        name = self.loop_var()
        var = ('var', name)
        top = self.r.choice([1, 2, 3, 5, 9]) if self.chance(0.95) else 60
        limit = ('num', str(top), top)
        if self.chance(0.2):
            # without any part of the head
            stop = ['if', ('bin', '>=', ('inc', False, 1, var), limit), [['break']], None]
            start = ['expr', ('asg', '', var, ('num', '0', 0))]
            return [start, ['for', None, None, None, [stop] + self.loop_body(name, d)]]
        if self.chance(0.3):
            body = self.loop_body(name, d)
            return [['for', ('asg', '', var, limit), ('bin', '>', var, ('num', '0', 0)), ('inc', True, -1, var), body]]
        body = self.loop_body(name, d)
        return [['for', ('asg', '', var, ('num', '0', 0)), ('bin', '<', var, limit), ('inc', False, 1, var), body]]

    def n_while(self, d):
        name = self.loop_var()
        var = ('var', name)
        top = self.r.randrange(1, 6)
        start = ['expr', ('asg', '', var, ('num', str(top), top))]
        if self.chance(0.5):
            return [start, ['while', ('inc', False, -1, var), self.loop_body(name, d)]]
        stop = ['if', ('bin', '<', ('inc', True, -1, var), ('num', '0', 0)), [['break']], None]
        return [start, ['while', ('num', '1', 1), [stop] + self.loop_body(name, d)]]

    def n_foreach(self, d):
        arrays = [g for g in self.p.globals if g.keys]
        if not arrays or (self.s.function and self.s.function.bounded):
            return None
        g = self.pick(arrays)
        names = [self.new_local(k, 'k') for k in g.keys]
        value = self.new_local(g.kind, 'v') if g.kind != 'stat' and self.chance(0.4) else None
        wheres = list(range(1, len(names) + 1))
        wheres += STATS * 2 if g.kind == 'stat' else ['value'] * 2
        mark = (self.pick(wheres), self.pick([1, -1])) if self.chance(0.6) else None
        limit = None
        if self.chance(0.3):
            self.pure += 1
            limit = self.integer(1) if self.chance(0.3) else ('num', '2', 2)
            self.pure -= 1
        kept = {k: list(v) for k, v in self.s.vars.items()}, list(self.s.fixed)
        self.s.iterating.append(g.name)
        self.s.loops += 1
        for name, k in list(zip(names, g.keys)) + ([(value, g.kind)] if value else []):
            self.s.vars[k].append(name)
        shown = [('var', n) for n in names] + ([('var', value)] if value else [])
        body = [['print', 'printdln', [self.lit(' ')] + shown]] if self.chance(0.5) else []
        body += self.body(d)
        self.s.loops -= 1
        self.s.iterating.pop()
        if self.chance(0.7):
            self.s.vars, self.s.fixed = kept
        return [['foreach', names, value, g.name, mark, limit, body]]

    def n_try(self, d):
        name = self.new_local('s', 'm') if self.chance(0.8) else None
        inner = self.body(d)
        if self.chance(0.4):
            inner.append(['expr', ('call', 'error', [self.text(2)])])
        elif self.chance(0.4):
            inner.append(['expr', ('asg', '', self.lvalue('i', 1) or ('var', self.loop_var()),
                                   ('bin', self.pick('/%'), self.integer(1), self.integer(1)))])
        handler = []
        if name:
            handler.append(['print', 'println', [self.lit('caught '), ('var', name)]])
            self.s.vars['s'].append(name)
        handler += self.body(d)
        if name and self.chance(0.15):
            handler.append(['expr', ('call', 'error', [('cat', self.lit('again '), ('var', name))])])
        return [['try', inner, name, handler]]

    def n_block(self, d):
        return [['block', self.body(d)]]

    def n_long(self, d):
        """A string that doubles until it is cut."""
        names = self.s.vars['s']
        if not names:
            return None
        name, count = self.pick(names), self.loop_var()
        grow = [['expr', ('asg', '.', ('var', name), ('cat', ('var', name), self.string()))]]
        var = ('var', count)
        zero, top = ('num', '0', 0), ('num', '9', 9)
        out = [['for', ('asg', '', var, zero), ('bin', '<', var, top), ('inc', False, 1, var), grow]]
        return out + [['print', 'println', [('call', 'strlen', [('var', name)])]]]

    NESTED = [(30, n_if), (45, n_for), (55, n_while), (75, n_foreach), (92, n_try), (96, n_block), (100, n_long)]

    def dump(self):
        """Shows everything that the program computed."""
        out = []
        for kind in 'is':
            names = [v for v in self.s.vars[kind]]
            names += [g.name for g in self.p.globals if not g.keys and g.kind == kind]
            if names:
                out.append(['print', 'printdln', [self.lit('|')] + [('var', n) for n in names]])
        for g in self.p.globals:
            if g.kind == 'stat' and not g.keys:
                out.append(['print', 'printdln', [self.lit(' '), self.lit(g.name), ('stat', 'count', g.name, []),
                                                  ('stat', 'sum', g.name, [])]])
            if not g.keys:
                continue
            names = [self.new_local(k, 'k') for k in g.keys]
            keys = [('var', n) for n in names]
            shown = [('stat', s, g.name, keys) for s in STATS] if g.kind == 'stat' else [('elem', g.name, keys)]
            out.append(['foreach', names, None, g.name, None, None,
                        [['print', 'printdln', [self.lit('|'), self.lit(g.name)] + keys + shown]]])
        return out


def called_functions(program):
    """Names of the functions that are reachable from the handler."""
    bodies = {f.name: f.body for f in program.functions}
    seen, todo = set(), [program.body]
    while todo:
        x = todo.pop()
        if isinstance(x, tuple) and x and x[0] == 'call' and x[1] in bodies and x[1] not in seen:
            seen.add(x[1])
            todo.append(bodies[x[1]])
        if isinstance(x, (list, tuple)):
            todo += [y for y in x if isinstance(y, (list, tuple))]
    return seen
