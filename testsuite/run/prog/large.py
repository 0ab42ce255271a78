# SPDX-License-Identifier: GPL-2.0-or-later
"""Large handlers for bpf-large.sh: large.py FOLDER writes for each case NAME.user, a script that computes in a begin
probe, NAME.bpf, the same in a probe of the function "finish" of the program that is its first argument, and NAME.options."""
import os
import sys


def lines(text, n):
    return ''.join(text.replace('#', str(i)) for i in range(n))


def fill(name, n):
    return ','.join('%s%d' % (name, i) for i in range(n))


BRANCHES = 'v# = x * # + #\nif (v# % 3 == 0) x += v#; else x ^= #\n'
# name: declarations, body (seed is 5), options
CASES = {
    'branches': ('', 'x = seed\n' + lines(BRANCHES, 1200) + 'printf("%d %d\\n", x, v7)\n', ''),
    'locals': ('', 'x = seed\n' + lines('v# = x + # * 7\n', 400) + lines('x += v# * #\n', 400) +
               'printf("%d\\n", x)\n', ''),
    'elseif': ('', 'for (x = 0; x < 1600; x += 97) {\nif (x == -1) r = 0\n' +
               lines('else if (x == # * 4 - #) r = # + 5\n', 500) + 'else r = -1\nprintf("%d:%d ", x, r) }\nprintln("")\n', ''),
    'arrays': ('global a[5000], st\n', 'x = seed\n' + lines(
        'a[x, "k#"] = #\nif ([x, "k#"] in a) x += a[x, "k#"] + #\na[x, "k#"] += x / 3\nst[x % 5] <<< x\n', 250) +
               'printf("%d %d %d\\n", x, @count(st[2]), @sum(st[3]))\n', '-DMAXSTRINGLEN=256'),
    'full': ('global a[20], b[20]\n', 'n = 0\n' + lines('try { a[#] = # } catch { n++ }\ntry { b[#] = sprint(#) } catch { n++ }\n', 150) +
             'printf("%d %s\\n", n, b[19])\n', ''),
    'catches': ('', 'x = seed\n' + lines('try { x += 100 / (x % 4) } catch (e) { x += strlen(e) }\n', 300) +
                'printf("%d\\n", x)\n', ''),
    'concatenations': ('', 'x = seed\ns = "a"\n' + lines(
        's = s . sprint(x + #)\nif (strlen(s) > 300) s = "b" . substr(s, 5, 20)\n', 200) + 'println(s)\n', ''),
    'strings': ('', 'x = seed\n' + lines('s# = sprintf("%d-#", x)\n', 20) + 't = ""\n' +
                lines('for (i = 0; i < 30; i++) t = t . s# . ","\n', 20) + 'println(t)\nprintln(strlen(t))\n', '-DMAXSTRINGLEN=4096'),
    'long-loop': ('', 'x = seed\nfor (i = 0; i < 400000; i++) x = x * 5 + i\nprintf("%d\\n", x)\n', ''),
    'large-loop': ('', 'x = seed\nfor (q = 0; q < 5; q++) {\n' + lines(BRANCHES, 600) + '}\nprintf("%d %d\\n", x, v9)\n', ''),
    'nested-calls': ('function f0(a, b) { return a * 2 + b }\n' + ''.join(
        'function f%d(a, b) { a += f%d(a + 1, b) return a * %d + b }\n' % (i, i - 1, i) for i in range(1, 30)),
                     'printf("%d\\n", f29(seed, 3))\n', ''),
    'arguments': ('function f(%s) { if (a0 <= 0) return 0; return %s + f(%s) }\n' % (
        fill('a', 32), '+'.join('a%d*%d' % (i, i) for i in range(32)), ','.join('a%d-1' % i for i in range(32))),
                  'printf("%d\\n", f(' + ','.join('seed+%d' % (i % 3) for i in range(32)) + '))\n', ''),
    'deep': ('function f(n) { if (n <= 0) return 0; return n + f(n - 1) }\n', 'printf("%d\\n", f(500))\n', '-DMAXNESTING=600'),
    'large-functions': (''.join('function f%d(x) {\n%sreturn x }\n' % (
        k, lines('x = x * # + %d\nif (x %% 7 == #) x -= 3\n' % k, 120)) for k in range(5)),
                        'x = seed\n' + ''.join('x += f%d(x)\n' % (i % 5) for i in range(10)) + 'printf("%d\\n", x)\n', ''),
    'foreach': ('global a, b, c\n', 'for (i = 0; i < 2048; i++) a[i * 7919 % 100003] = i\nx = 0\n'
                'foreach (k- in a) x = x * 31 + k\nforeach (k in a- limit 5) x = x * 3 + k\n'
                'for (i = 0; i < 12; i++) { b[i, "x" . sprint(i)] = i * 7 % 5; c[i * 2] = sprint(i) }\n'
                'foreach ([i, s] in b+) foreach (j- in c) foreach (k in c limit 3) x = x * 3 + i + j + k + strlen(s)\n'
                'printf("%d\\n", x)\n', ''),
    'wide': ('', 'x = seed\n' + lines('s = sprintf("' + '%d ' * 30 + '", ' + ','.join('x+#*%d' % i for i in range(30)) +
                                       ')\n', 150) + 'println(s)\n', ''),
    'prints': ('', 'x = seed\n' + lines('printf("%d %s #|", x + #, "s#")\n', 300) + 'println("")\n', ''),
}

for name, (head, body, options) in CASES.items():
    base = os.path.join(sys.argv[1], name)
    with open(base + '.user', 'w', encoding='utf-8') as f:
        f.write(head + 'probe begin {\nseed = 5\n' + body + 'exit()\n}\n')
    with open(base + '.bpf', 'w', encoding='utf-8') as f:
        f.write(head + 'probe process(@1).function("finish") {\nseed = $arg1 + 5\n' + body + '}\n')
    with open(base + '.options', 'w', encoding='utf-8') as f:
        f.write('-DMAXACTION=3000000 ' + options)
