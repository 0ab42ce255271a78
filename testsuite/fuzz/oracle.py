# SPDX-License-Identifier: GPL-2.0-or-later
"""Random programs: what a program prints, by the language's rules, without any part of Spile.

Integers have 64 bits and wrap; division truncates; shift counts are taken modulo 64. Strings are cut after
maxlen - 1 bytes. Operands are evaluated from left to right; a compound assignment reads its variable after the right
side. Arrays keep the order of insertion; what is missing reads as 0 or "".
"""
M64 = (1 << 64) - 1
MIN = -(1 << 63)


def wrap(v):
    v &= M64
    return v - (1 << 64) if v >> 63 else v


class ScriptError(Exception):
    """A run-time error of the script; its text is the argument."""


class TooLong(Exception):
    """The program does more work than a test should."""


class Leave(Exception):
    """break, continue, next, return."""

    def __init__(self, kind, value=None):
        super().__init__(kind)
        self.kind, self.value = kind, value


def divide(a, b):
    if b == 0:
        raise ScriptError('division by 0')
    q = abs(a) // abs(b)
    return wrap(-q if (a < 0) != (b < 0) else q)


BIN = {
    '+': lambda a, b: wrap(a + b),
    '-': lambda a, b: wrap(a - b),
    '*': lambda a, b: wrap(a * b),
    '/': divide,
    '%': lambda a, b: wrap(a - divide(a, b) * b),
    '&': lambda a, b: a & b,
    '|': lambda a, b: a | b,
    '^': lambda a, b: a ^ b,
    '<<': lambda a, b: wrap(a << (b & 63)),
    '>>': lambda a, b: a >> (b & 63),
    '>>>': lambda a, b: wrap((a & M64) >> (b & 63)),
    '<': lambda a, b: int(a < b),
    '<=': lambda a, b: int(a <= b),
    '>': lambda a, b: int(a > b),
    '>=': lambda a, b: int(a >= b),
    '==': lambda a, b: int(a == b),
    '!=': lambda a, b: int(a != b),
}
UN = {'-': lambda a: wrap(-a), '+': lambda a: a, '!': lambda a: int(a == 0), '~': lambda a: ~a}

ESCAPES = {'\a': 'a', '\b': 'b', '\t': 't', '\n': 'n', '\v': 'v', '\f': 'f', '\r': 'r', '\\': '\\'}


def escaped(text, quotes):
    out = []
    for c in text:
        if c in ESCAPES:
            out.append('\\' + ESCAPES[c])
        elif quotes and c == '"':
            out.append('\\"')
        elif ' ' <= c <= '~':
            out.append(c)
        else:
            out.append('\\%03o' % ord(c))
    return ''.join(out)


def padded(text, flag, width):
    return text.ljust(width) if flag == '-' else text.rjust(width)


def convert_number(flag, width, prec, conv, v):
    signed = conv in 'di'
    magnitude = abs(v) if signed else v & M64
    digits = {'d': '%d', 'i': '%d', 'u': '%d', 'x': '%x', 'p': '%x', 'X': '%X', 'o': '%o'}[conv] % magnitude
    if prec is not None:
        digits = '' if prec == 0 and magnitude == 0 else digits.rjust(prec, '0')
    sign = ''
    if signed:
        sign = '-' if v < 0 else flag if flag in ('+', ' ') else ''
    elif conv == 'p' or (conv in 'xX' and flag == '#' and magnitude):
        sign = '0X' if conv == 'X' else '0x'
    elif conv == 'o' and flag == '#' and digits[:1] != '0':
        digits = '0' + digits
    if flag == '0' and prec is None:
        digits = digits.rjust(width - len(sign), '0')
    return padded(sign + digits, flag, width)


def convert(flag, width, prec, conv, v):
    """One conversion of a print format. width is a number, prec a number or None."""
    if conv == 's':
        text = v if prec is None else v[:prec]
        return padded('"' + escaped(text, True) + '"' if flag == '#' else text, '' if flag == '#' else flag, width)
    if conv == 'c':
        text = chr(v & 255)
        return padded(escaped(text, False) if flag == '#' else text, flag, width)
    return convert_number(flag, width, prec, conv, v)


def to_number(text, base):
    """C's strtol()."""
    s = text.lstrip(' \t\n\v\f\r')
    sign = 1
    if s[:1] in ('+', '-'):
        sign = -1 if s[0] == '-' else 1
        s = s[1:]
    hexed = s[:2].lower() == '0x' and s[2:3].lower() in set('0123456789abcdef')
    if base in (0, 16) and hexed:
        s, base = s[2:], 16
    elif base == 0:
        base = 8 if s[:1] == '0' else 10
    v = 0
    for c in s.lower():
        d = '0123456789abcdefghijklmnopqrstuvwxyz'.find(c)
        if not 0 <= d < base:
            break
        v = v * base + d
    return max(MIN, min(-MIN - 1, sign * v))


class Stat:
    """An aggregate."""

    def __init__(self):
        self.count = self.sum = 0
        self.min = self.max = None

    def add(self, v):
        self.count += 1
        self.sum = wrap(self.sum + v)
        self.min = v if self.min is None else min(self.min, v)
        self.max = v if self.max is None else max(self.max, v)

    def get(self, what):
        if what in ('count', 'sum'):
            return self.count if what == 'count' else self.sum
        if not self.count:
            raise ScriptError('empty aggregate')
        return divide(self.sum, self.count) if what == 'avg' else getattr(self, what)


class Machine:
    """Runs one program."""

    def __init__(self, program, maxlen=512, fuel=4000):
        self.maxlen, self.fuel = maxlen - 1, fuel
        self.globals = {g.name: g for g in program.globals}
        self.functions = {f.name: f for f in program.functions}
        self.data = {}
        for g in program.globals:
            if g.keys:
                self.data[g.name] = {}
            elif g.kind == 'stat':
                self.data[g.name] = Stat()
            else:
                self.data[g.name] = self.null(g.kind) if g.init is None else self.cut(g.init)
        self.frame = {n: self.null(kind) for n, kind in program.locals}
        self.out = []
        self.error = None
        self.program = program

    @staticmethod
    def null(kind):
        return '' if kind == 's' else 0

    def cut(self, v):
        return v[:self.maxlen] if isinstance(v, str) else v

    def run(self):
        """The output of the program; self.error becomes the text of an error that it did not catch."""
        try:
            self.stmts(self.program.body)
        except ScriptError as e:
            self.error = self.cut(e.args[0])
        except Leave as e:
            assert e.kind == 'next', e.kind
        return ''.join(self.out)

    # --- expressions

    def ev(self, e):
        return getattr(self, 'x_' + e[0])(*e[1:])

    def many(self, es):
        return [self.ev(e) for e in es]

    @staticmethod
    def x_num(_text, value):
        return value

    def x_str(self, _text, value):
        return self.cut(value)

    def x_var(self, name):
        return self.data[name] if name in self.globals else self.frame[name]

    def element(self, array, keys):
        return self.data[array].get(keys, self.null(self.globals[array].kind))

    def x_elem(self, array, keys):
        return self.element(array, tuple(self.many(keys)))

    def x_bin(self, op, a, b):
        a = self.ev(a)
        return BIN[op](a, self.ev(b))

    def x_cat(self, a, b):
        a = self.ev(a)
        return self.cut(a + self.ev(b))

    def x_un(self, op, a):
        return UN[op](self.ev(a))

    def x_and(self, a, b):
        return int(self.ev(a) != 0 and self.ev(b) != 0)

    def x_or(self, a, b):
        return int(self.ev(a) != 0 or self.ev(b) != 0)

    def x_cond(self, c, a, b):
        return self.ev(a) if self.ev(c) else self.ev(b)

    def put(self, array, keys, value):
        """Gives an element its value; makes room for a new one or fails."""
        g, data = self.globals[array], self.data[array]
        if keys not in data and g.size and len(data) >= g.size:
            if not g.wrap:
                raise ScriptError('Array overflow, check size limit (%d)' % g.size)
            del data[next(iter(data))]
        data[keys] = value

    def change(self, lvalue, value):
        """Evaluates the keys, calls value(read old) for the new value, and stores it."""
        if lvalue[0] == 'elem':
            keys = tuple(self.many(lvalue[2]))
            v = value(lambda: self.element(lvalue[1], keys))
            self.put(lvalue[1], keys, v)
        else:
            v = value(lambda: self.x_var(lvalue[1]))
            (self.data if lvalue[1] in self.globals else self.frame)[lvalue[1]] = v
        return v

    def x_inc(self, prefix, by, lvalue):
        v = self.change(lvalue, lambda old: wrap(old() + by))
        return v if prefix else wrap(v - by)

    def x_asg(self, op, lvalue, value):
        if op == '<<<':
            return self.add_sample(lvalue, value)

        def make(old):
            v = self.ev(value)
            if not op:
                return v
            return self.cut(old() + v) if op == '.' else BIN[op](old(), v)
        return self.change(lvalue, make)

    def add_sample(self, lvalue, value):
        if lvalue[0] == 'var':
            v = self.ev(value)
            self.data[lvalue[1]].add(v)
            return v
        keys = tuple(self.many(lvalue[2]))
        v = self.ev(value)
        data = self.data[lvalue[1]]
        if keys not in data:
            self.put(lvalue[1], keys, Stat())
        data[keys].add(v)
        return v

    def x_in(self, array, keys):
        return int(tuple(self.many(keys)) in self.data[array])

    def x_stat(self, what, name, keys):
        if not keys:
            return self.data[name].get(what)
        return self.data[name].get(tuple(self.many(keys)), Stat()).get(what)

    def x_call(self, name, args):
        args = self.many(args)
        if name in LIBRARY:
            return self.cut(LIBRARY[name](*args))
        f = self.functions[name]
        old, self.frame = self.frame, {}
        self.frame.update({n: a for (n, _), a in zip(f.params, args)})
        self.frame.update({n: self.null(kind) for n, kind in f.locals})
        try:
            self.stmts(f.body)
        except Leave as e:
            if e.kind != 'return':
                raise
            return e.value
        finally:
            self.frame = old
        return self.null(f.ret)

    @staticmethod
    def joined(kind, args):
        """The text of a print family call; args are values."""
        delim = ''
        if kind.startswith(('printd', 'sprintd')):
            delim, args = args[0], args[1:]
        return delim.join(str(a) for a in args) + ('\n' if kind.endswith('ln') else '')

    def x_sprint(self, kind, args):
        return self.cut(self.joined(kind, self.many(args)))

    @staticmethod
    def formatted(pieces, args):
        args, out = list(args), []
        for p in pieces:
            if isinstance(p, str):
                out.append(p)
                continue
            flag, width, prec, conv = p
            width = args.pop(0) if width == '*' else int(width or 0)
            if prec is not None:
                prec = args.pop(0) if prec == '*' else int(prec or 0)
            out.append(convert(flag, width, prec, conv.lstrip('l'), args.pop(0)))
        return ''.join(out)

    def x_sprintf(self, pieces, args):
        return self.cut(self.formatted(pieces, self.many(args)))

    # --- statements

    def stmts(self, body):
        for s in body:
            self.fuel -= 1
            if self.fuel < 0:
                raise TooLong()
            getattr(self, 's_' + s[0])(*s[1:])

    def s_expr(self, e):
        self.ev(e)

    def s_if(self, c, body, other):
        if self.ev(c):
            self.stmts(body)
        elif other is not None:
            self.stmts(other)

    def turn(self, body):
        """One turn of a loop; False after break."""
        self.fuel -= 1
        if self.fuel < 0:
            raise TooLong()
        try:
            self.stmts(body)
        except Leave as e:
            if e.kind not in ('break', 'continue'):
                raise
            return e.kind == 'continue'
        return True

    def s_while(self, c, body):
        while self.ev(c):
            if not self.turn(body):
                break

    def s_for(self, init, c, step, body):
        if init:
            self.ev(init)
        while c is None or self.ev(c):
            if not self.turn(body):
                break
            if step:
                self.ev(step)

    def s_foreach(self, keys, value, array, mark, limit, body):
        data = self.data[array]
        limit = None if limit is None else self.ev(limit)
        items = list(data.items())
        if mark:
            where, direction = mark
            if where == 'value':
                by = lambda kv: kv[1]
            elif isinstance(where, str):
                by = lambda kv: kv[1].get(where)
            else:
                by = lambda kv: kv[0][where - 1]
            # reverse=True keeps equal elements in their order, as a stable descending sort must
            items.sort(key=by, reverse=direction < 0)
        if limit is not None:
            items = items[:max(limit, 0)]
        for k, v in items:
            self.frame.update(zip(keys, k))
            if value:
                self.frame[value] = v
            if not self.turn(body):
                break

    def s_block(self, body):
        self.stmts(body)

    def s_try(self, body, name, handler):
        try:
            self.stmts(body)
        except ScriptError as e:
            if name:
                self.frame[name] = self.cut(e.args[0])
            self.stmts(handler)

    def s_print(self, kind, args):
        self.out.append(self.joined(kind, self.many(args)))

    def s_printf(self, pieces, args):
        self.out.append(self.formatted(pieces, self.many(args)))

    def s_delete(self, lvalue):
        if lvalue[0] == 'elem':
            self.data[lvalue[1]].pop(tuple(self.many(lvalue[2])), None)
        elif self.globals[lvalue[1]].keys:
            self.data[lvalue[1]].clear()
        elif self.globals[lvalue[1]].kind == 'stat':
            self.data[lvalue[1]] = Stat()
        else:
            self.data[lvalue[1]] = self.null(self.globals[lvalue[1]].kind)

    def s_break(self):
        raise Leave('break')

    def s_continue(self):
        raise Leave('continue')

    def s_next(self):
        raise Leave('next')

    def s_return(self, e):
        raise Leave('return', None if e is None else self.ev(e))

    def s_null(self):
        pass


def fail(text):
    raise ScriptError(text)


def part(s, start, length):
    """substr(): "" when the start is not in the string; what lies behind the end is left out."""
    return s[start:start + length] if start >= 0 and length > 0 else ''


LIBRARY = {
    'error': fail,
    'strlen': len,
    'substr': part,
    'isinstr': lambda s, t: int(t in s),
    'strtol': to_number,
}
