# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs: the tree of a program and its text in the script language.

Expressions are tuples, kind first:
  ('num', text, value)  ('str', text, value)  ('var', name)  ('elem', array, keys)
  ('bin', op, a, b)  ('cat', a, b)  ('un', op, a)  ('and', a, b)  ('or', a, b)  ('cond', c, a, b)
  ('inc', prefix, by, lvalue)  ('asg', op, lvalue, value)  ('in', array, keys)  ('stat', what, name, keys)
  ('call', function, args)  ('sprint', kind, args)  ('sprintf', format pieces, args)
Statements are lists, so that the minimiser can change them:
  ['expr', e]  ['if', c, body, other]  ['while', c, body]  ['for', init, c, step, body]  ['block', body]
  ['foreach', keys, value, array, mark, limit, body]  ['try', body, name, handler]  ['print', kind, args]
  ['printf', pieces, args]  ['delete', lvalue]  ['break']  ['continue']  ['next']  ['return', e]  ['null']
mark of foreach: None or (where, direction): where is a key's number from 1, 'value', or a statistic's name.
"""

PREC = {'|': 5, '^': 6, '&': 7, '<<': 10, '>>': 10, '>>>': 10, '+': 12, '-': 12, '*': 13, '/': 13, '%': 13}
PREC.update({op: 9 for op in ('<', '<=', '>', '>=', '==', '!=')})
PREC_CAT = 11


class Program:
    """One program: globals, functions and the body of a handler."""

    def __init__(self, seed):
        self.seed = seed
        self.globals = []       # Global
        self.functions = []     # Function
        self.locals = []        # (name, type)
        self.body = []
        self.parens = 0         # every Nth operand that needs no parentheses gets some; 0: none


class Global:
    """kind: 'i' or 's' (value type), 'stat'. keys: '' for a scalar, else a letter a key."""

    def __init__(self, name, kind, keys='', size=None, wrap=False, init=None):
        self.name, self.kind, self.keys = name, kind, keys
        self.size, self.wrap, self.init = size, wrap, init


class Function:
    """ret: 'i', 's' or None. params: [(name, type)]."""

    def __init__(self, name, params, ret, typed):
        self.name, self.params, self.ret, self.typed = name, params, ret, typed
        self.locals = []
        self.bounded = 0        # > 0: recursive; the first argument is below it
        self.body = []


def quote(value):
    """A string literal; what is not printable as octal escapes."""
    out = []
    for c in value:
        if c in '"\\':
            out.append('\\' + c)
        elif c == '\n':
            out.append('\\n')
        elif c == '\t':
            out.append('\\t')
        elif ' ' <= c <= '~':
            out.append(c)
        else:
            out.append('\\%03o' % ord(c))
    return '"' + ''.join(out) + '"'


def format_text(pieces):
    """The literal of a print format. A piece is a str or (flag, width, prec, conv); width, prec: '' or digits or '*'."""
    out = []
    for p in pieces:
        if isinstance(p, str):
            out.append(p.replace('%', '%%'))
        else:
            flag, width, prec, conv = p
            out.append('%' + flag + width + ('.' + prec if prec is not None else '') + conv)
    return quote(''.join(out))


class Writer:
    """Turns a program into text. Names of globals and functions get a suffix, so that programs can share a script."""

    def __init__(self, program, suffix=''):
        self.p = program
        self.suffix = suffix
        self.shared = {g.name for g in program.globals} | {f.name for f in program.functions}
        self.operand = 0

    def name(self, n):
        return n + self.suffix if n in self.shared else n

    def expr(self, e, least=1):
        """Text of e where an operator of precedence @least or tighter may stand without parentheses."""
        text, prec = getattr(self, 'x_' + e[0])(*e[1:])
        self.operand += 1
        extra = self.p.parens and prec < 17 and self.operand % self.p.parens == 0
        return '(' + text + ')' if prec < least or extra else text

    def left(self, op, prec, a, b):
        return '%s %s %s' % (self.expr(a, prec), op, self.expr(b, prec + 1)), prec

    def x_num(self, text, _value):
        return text, 17

    x_str = x_num

    def x_var(self, name):
        return self.name(name), 17

    def index(self, keys):
        return ', '.join(self.expr(k) for k in keys)

    def x_elem(self, array, keys):
        return '%s[%s]' % (self.name(array), self.index(keys)), 17

    def x_bin(self, op, a, b):
        return self.left(op, PREC[op], a, b)

    def x_cat(self, a, b):
        return self.left('.', PREC_CAT, a, b)

    def x_un(self, op, a):
        text = self.expr(a, 14)
        return op + (' ' if text[0] in '+-~!=' else '') + text, 14

    def x_and(self, a, b):
        return self.left('&&', 4, a, b)

    def x_or(self, a, b):
        return self.left('||', 3, a, b)

    def x_cond(self, c, a, b):
        return '%s ? %s : %s' % (self.expr(c, 3), self.expr(a, 2), self.expr(b, 2)), 2

    def x_inc(self, prefix, by, lvalue):
        op = '++' if by > 0 else '--'
        text = self.expr(lvalue, 17)
        return (op + text if prefix else text + op), 15

    def x_asg(self, op, lvalue, value):
        return '%s %s %s' % (self.expr(lvalue, 17), op if op == '<<<' else op + '=', self.expr(value)), 1

    def x_in(self, array, keys):
        left = self.expr(keys[0], 9) if len(keys) == 1 else '[%s]' % self.index(keys)
        return '%s in %s' % (left, self.name(array)), 8

    def x_stat(self, what, name, keys):
        at = '[%s]' % self.index(keys) if keys else ''
        return '@%s(%s%s)' % (what, self.name(name), at), 17

    def x_call(self, function, args):
        return '%s(%s)' % (self.name(function), self.index(args)), 17

    def x_sprint(self, kind, args):
        return '%s(%s)' % (kind, self.index(args)), 17

    def x_sprintf(self, pieces, args):
        return 'sprintf(%s)' % ', '.join([format_text(pieces)] + [self.expr(a) for a in args]), 17

    def stmts(self, body, depth):
        return ''.join(self.stmt(s, depth) for s in body)

    def stmt(self, s, depth):
        tab = '\t' * depth
        inner = lambda body: ' {\n%s%s}' % (self.stmts(body, depth + 1), tab)
        kind = s[0]
        if kind == 'expr':
            text = self.expr(s[1]) + ';'
        elif kind == 'if':
            text = 'if (%s)%s' % (self.expr(s[1]), inner(s[2]))
            if s[3] is not None:
                text += ' else' + inner(s[3])
        elif kind == 'while':
            text = 'while (%s)%s' % (self.expr(s[1]), inner(s[2]))
        elif kind == 'for':
            head = '; '.join(self.expr(e) if e else '' for e in s[1:4])
            text = 'for (%s)%s' % (head, inner(s[4]))
        elif kind == 'foreach':
            text = 'foreach (%s)%s' % (self.foreach_head(*s[1:6]), inner(s[6]))
        elif kind == 'block':
            text = inner(s[1]).lstrip()
        elif kind == 'try':
            text = 'try%s catch%s%s' % (inner(s[1]), ' (%s)' % s[2] if s[2] else '', inner(s[3]))
        elif kind == 'print':
            text = '%s(%s);' % (s[1], self.index(s[2]))
        elif kind == 'printf':
            text = 'printf(%s);' % ', '.join([format_text(s[1])] + [self.expr(a) for a in s[2]])
        elif kind == 'delete':
            text = 'delete %s;' % self.expr(s[1], 17)
        elif kind == 'return':
            text = 'return %s;' % self.expr(s[1]) if s[1] else 'return;'
        elif kind == 'null':
            text = ';'
        else:
            text = kind + ';'
        return tab + text + '\n'

    def foreach_head(self, keys, value, array, mark, limit):
        where, direction = mark or (None, 0)
        sign = {0: '', 1: '+', -1: '-'}[direction]
        names = [k + (sign if where == i + 1 else '') for i, k in enumerate(keys)]
        head = '[%s]' % ', '.join(names) if len(names) > 1 else names[0]
        if value:
            head = '%s%s = %s' % (value, sign if where == 'value' else '', head)
        head += ' in ' + self.name(array)
        if where == 'value' and not value:
            head += sign
        elif isinstance(where, str) and where != 'value':
            head += ' @%s%s' % (where, sign)
        if limit is not None:
            head += ' limit ' + self.expr(limit)
        return head

    def declarations(self):
        out = []
        for g in self.p.globals:
            text = 'global ' + self.name(g.name) + ('%' if g.wrap else '')
            if g.size:
                text += '[%d]' % g.size
            if g.init is not None:
                text += ' = ' + (quote(g.init) if g.kind == 's' else str(g.init))
            out.append(text + '\n')
        types = {'i': ':long', 's': ':string'}
        for f in self.p.functions:
            params = ', '.join(n + (types[t] if f.typed else '') for n, t in f.params)
            ret = types[f.ret] if f.ret and f.typed else ''
            out.append('function %s%s(%s) {\n%s}\n' % (self.name(f.name), ret, params, self.stmts(f.body, 1)))
        return ''.join(out)

    def script(self, point):
        return '%sprobe %s {\n%s}\n' % (self.declarations(), point, self.stmts(self.p.body, 1))
