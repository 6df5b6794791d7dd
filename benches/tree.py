#!/usr/bin/env python3
"""Makes a tree of files to measure scanners on: tree.py FOLDER [FILES] [MEGABYTES] [SEED].

The same arguments give the same bytes. Beside the tree, FOLDER.planted lists what was planted, one secret a line:
the file, a tab, the secret. All of them are made up.
"""
import os
import random
import sys

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
WORDS = (
    "function return const value request response client server config table index module import export error "
    "result number string buffer offset length token key secret password session update delete create user account "
    "project service https://docs.example.com/guide http://localhost:8080/ api_key_name self.state // /* */ { } ( ) "
    "if else for while match async await promise object array class public static void int"
).split()
ENDS = [".js", ".ts", ".py", ".go", ".rs", ".json", ".yaml", ".md", ".c", ".h", ".txt", ".html"]


def made_up(rng, alphabet, length):
    return "".join(rng.choice(alphabet) for _ in range(length))


def planted(rng):
    """Every planted form: name of the file, line, secret. The forms are those that the providers document."""
    mixed, hexa, upper = LETTERS, "0123456789abcdef", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    return [
        (".env", "AWS_ACCESS_KEY_ID={}", "AK" + "IA" + made_up(rng, upper, 16)),
        (".env", "AWS_SECRET_ACCESS_KEY={}", made_up(rng, mixed, 40)),
        ("push.sh", "curl -H 'Authorization: token {}' https://api.github.com", "gh" + "p_" + made_up(rng, mixed, 36)),
        ("ci.yaml", "  oauth: {}", "gh" + "o_" + made_up(rng, mixed, 36)),
        ("app.py", 'stripe.api_key = "{}"', "sk_" + "live_" + made_up(rng, mixed, 24)),
        ("bot.js", 'const slack = "{}";', "xox" + "b-" + made_up(rng, "0123456789", 12) + "-" + made_up(rng, "0123456789", 12) + "-" + made_up(rng, mixed, 24)),
        (".npmrc", "//registry.npmjs.org/:_authToken={}", "np" + "m_" + made_up(rng, mixed, 36)),
        ("do.toml", 'access = "{}"', "dop_" + "v1_" + made_up(rng, hexa, 64)),
        (".env", "RAILWAY_TOKEN={}", "-".join(made_up(rng, hexa, n) for n in (8, 4, 4, 4, 12))),
        ("compose.yaml", "  DATABASE_URL: postgres://app:{}@db.internal.example:5432/shop", made_up(rng, mixed, 24)),
    ]


def filler(rng):
    """One megabyte of something like program text, cut up for all files."""
    lines = []
    size = 0
    while size < 1 << 20:
        line = "    " * rng.randrange(4) + " ".join(rng.choice(WORDS) for _ in range(rng.randrange(3, 14)))
        lines.append(line)
        size += len(line) + 1
    return ("\n".join(lines) + "\n").encode()


def main():
    folder = sys.argv[1]
    files = int(sys.argv[2]) if len(sys.argv) > 2 else 60_000
    megabytes = int(sys.argv[3]) if len(sys.argv) > 3 else 1_050
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 20261124
    rng = random.Random(seed)
    text = filler(rng)
    size = megabytes * 1_000_000 // files
    every = max(files // 300, 1)
    truth = []
    forms = []
    for at in range(files):
        below = os.path.join(folder, f"d{at // 2000:03}", f"e{at // 50 % 40:02}")
        if at % 50 == 0:
            os.makedirs(below, exist_ok=True)
        length = max(64, int(size * rng.choice([0.1, 0.3, 0.5, 1, 3.1])))
        start = rng.randrange(len(text) - 1)
        body = (text[start:] + text * (length // len(text) + 1))[:length]
        name = f"f{at}{rng.choice(ENDS)}"
        if at % every == 0:
            forms = forms or planted(rng)
            base, line, secret = forms.pop()
            name = f"f{at}-{base}" if not base.startswith(".") else base
            cut = body.rfind(b"\n", 0, rng.randrange(1, len(body))) + 1
            body = body[:cut] + line.format(secret).encode() + b"\n" + body[cut:]
            truth.append((os.path.join(below, name), secret))
        with open(os.path.join(below, name), "wb") as out:
            out.write(body)
    with open(folder + ".planted", "w") as out:
        out.writelines(f"{path}\t{secret}\n" for path, secret in truth)
    print(f"{files} files, {len(truth)} planted, seed {seed}")


main()
