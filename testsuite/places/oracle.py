# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether debug information has a place for a variable at an address: as llvm-dwarfdump shows it, not by our code."""
import re
import shutil
import subprocess

DIE = re.compile(r'^0x[0-9a-f]+:( +)(DW_TAG_\w+|NULL)$')
ATTR = re.compile(r'^ +(DW_AT_\w+)\t\((.*?)\)?$')
RANGE = re.compile(r'\[(0x[0-9a-f]+), (0x[0-9a-f]+)\)(?: "[^"]*")?(?:: (.*?)\)?$)?')
ENTRY_VALUE = re.compile(r'DW_OP_(?:GNU_)?entry_value')


class Die:
    """One entry with its attributes as text and what lies in it."""

    def __init__(self, tag, up):
        self.tag, self.up, self.attrs, self.inside = tag, up, {}, []

    def name(self):
        m = re.search(r'"([^"]*)"', self.attrs.get('DW_AT_name', '') or self.attrs.get('DW_AT_abstract_origin', ''))
        return m.group(1) if m else None

    def ranges(self):
        """Where its code is."""
        if 'DW_AT_ranges' in self.attrs:
            return [(int(m.group(1), 16), int(m.group(2), 16)) for m in RANGE.finditer(self.attrs['DW_AT_ranges'])]
        lo, hi = (re.search('0x[0-9a-f]+', self.attrs.get(a, '')) for a in ('DW_AT_low_pc', 'DW_AT_high_pc'))
        return [(int(lo.group(), 16), int(hi.group(), 16))] if lo and hi else []

    def holds(self, pc):
        return any(lo <= pc < hi for lo, hi in self.ranges())

    def entry(self):
        e = re.search('0x[0-9a-f]+', self.attrs.get('DW_AT_entry_pc', ''))
        return int(e.group(), 16) if e else self.ranges()[0][0]

    def walk(self):
        yield self
        for d in self.inside:
            yield from d.walk()

    def expression(self, pc):
        """The location that counts at an address; None: there is none."""
        if 'DW_AT_const_value' in self.attrs:
            return 'a constant'
        text = self.attrs.get('DW_AT_location')
        if text is None or not re.match(r'(indexed \(0x[0-9a-f]+\) loclist = )?0x[0-9a-f]+: ', text):
            return text
        for line in text.split('\n'):
            m = RANGE.search(line)
            if m and int(m.group(1), 16) <= pc < int(m.group(2), 16):
                return m.group(3)
        return None


def readable(expr):
    """Whether a probe can know what an expression says, all parts of it."""
    # llvm-dwarfdump does not know implicit pointers; what they point to has no place of its own
    if not expr or ENTRY_VALUE.search(expr) or re.search('XMM|implicit_pointer|decoding error', expr):
        return False
    # one piece is not all of it, else there were none
    if len(re.findall('DW_OP_(?:bit_)?piece', expr)) == 1:
        return False
    # a piece without a place in front of it
    return not re.search(r'(?:^|DW_OP_(?:bit_)?piece 0x[0-9a-f]+(?: 0x[0-9a-f]+)?, )DW_OP_(?:bit_)?piece', expr)


class Dwarf:
    """What llvm-dwarfdump has to say of one program."""

    def __init__(self, exe, sources):
        self.exe, self.sources, self.units = exe, sources, []
        self.works = bool(shutil.which('llvm-dwarfdump'))

    def text(self, *options):
        return subprocess.run(['llvm-dwarfdump', *options, self.exe], check=True, stdout=subprocess.PIPE,
                              text=True).stdout

    def read(self):
        """Units as trees, by indentation."""
        stack, attr = [], None
        for line in self.text('--debug-info').split('\n'):
            m = DIE.match(line)
            if m:
                depth, attr = (len(m.group(1)) - 1) // 2, None
                del stack[depth:]
                die = Die(m.group(2), stack[-1] if stack else None)
                (stack[-1].inside if stack else self.units).append(die)
                stack.append(die)
                continue
            m = ATTR.match(line)
            if m and stack:
                attr = m.group(1)
                stack[-1].attrs[attr] = m.group(2)
            elif attr and line.strip():
                stack[-1].attrs[attr] += '\n' + line.strip()

    def line_addresses(self, source, line):
        out, file_no = [], None
        for text in self.text('--debug-line').split('\n'):
            m = re.match(r'file_names\[ *(\d+)\]', text)
            if m:
                number = m.group(1)
            m = re.match(r' +name: "([^"]*)"', text)
            if m and m.group(1).endswith(source):
                file_no = number
            m = re.match(r'(0x[0-9a-f]+) +(\d+) +\d+ +(\d+) .*is_stmt', text)
            if m and int(m.group(2)) == line and m.group(3) == file_no:
                out.append(int(m.group(1), 16))
        return out

    def places(self, row, lines):
        """Scopes and addresses that the row's probe may be at."""
        dies = [d for u in self.units for d in u.walk()]
        if row.kind == 'inline':
            return [(d, d.entry()) for d in dies if d.tag == 'DW_TAG_inlined_subroutine' and d.name() == row.word]
        functions = [d for d in dies if d.tag == 'DW_TAG_subprogram' and d.ranges()]
        if row.kind == 'at':
            source, line = lines[row.word].split('@')[1].split(':')
            return [(f, pc) for pc in self.line_addresses(source, int(line)) for f in functions if f.holds(pc)]
        return [(f, f.ranges()[0][0]) for f in functions if f.name() == row.word]

    def unit_variable(self, unit, name):
        for d in unit.inside:
            if d.tag == 'DW_TAG_variable' and d.name() == name and 'DW_AT_declaration' not in d.attrs:
                return d
        return None

    def variable(self, scope, pc, name, unit):
        """The entry that the name means; None: there is none."""
        found = None
        if unit is None:
            for d in scope.walk():
                block = d.up if d is not scope else None
                inner = block is scope or (block is not None and block.tag == 'DW_TAG_lexical_block' and block.holds(pc))
                if inner and d.tag in ('DW_TAG_formal_parameter', 'DW_TAG_variable') and d.name() == name:
                    found = d
            if found is not None:
                return found
            while scope.up is not None:
                scope = scope.up
        own = [scope] if unit is None else []
        for u in own + [u for u in self.units if unit is None or (u.name() or '').endswith(unit)]:
            found = found or self.unit_variable(u, name)
        return found

    def has_place(self, row, lines):
        """The place of a row's variables that a probe says have none; None: some of them has none either."""
        if not self.works:
            return None
        if not self.units:
            self.read()
        shown = []
        for scope, pc in self.places(row, lines):
            for name, unit in row.variables():
                die = self.variable(scope, pc, name, unit)
                expr = die.expression(pc) if die is not None else None
                if not readable(expr):
                    return None
                shown.append('%s: %s' % (name, expr))
        return '; '.join(shown) or 'no such place'
