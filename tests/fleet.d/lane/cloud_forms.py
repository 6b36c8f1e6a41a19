"""Arguments and tables of the cloud's programs, as argparse, prettytable and cliff have them."""

import json

FLAGS = {"--poll", "--wait", "--all-tenants", "--all-projects", "--long", "--minimal", "--quiet", "-q"}


class Usage(Exception):
    """Arguments that are not understood."""


class Options:
    """Words, and options with their values; `--key_name` is `--key-name`."""

    def __init__(self, args):
        self.words, self.given = [], []
        rest = iter(args)
        for arg in rest:
            if not arg.startswith("-") or len(arg) < 2:
                self.words.append(arg)
                continue
            name, glued, value = arg.partition("=")
            name = name.replace("_", "-")
            if name in FLAGS:
                value = ""
            elif not glued:
                value = next(rest, None)
                if value is None:
                    raise Usage(f"argument {name}: expected one argument")
            self.given.append((name, value))

    def value(self, *names):
        return next((value for name, value in reversed(self.given) if name in names), None)

    def values(self, *names):
        return [value for name, value in self.given if name in names]

    def word(self, place):
        if place >= len(self.words):
            raise Usage("too few arguments")
        return self.words[place]


def table(heads, rows):
    """As prettytable draws it."""
    rows = [[cell(value) for value in row] for row in rows]
    widths = [max(len(row[n]) for row in [heads, *rows]) for n in range(len(heads))]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+\n"
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |\n" for row in [heads, *rows]]
    return rule + lines[0] + rule + "".join(lines[1:]) + (rule if rows else "")


def cell(value):
    """A value in a table."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return "; ".join(f"{key}={cell(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(cell(inner) for inner in value)
    return str(value)


def listing(heads, rows, options):
    """Rows in the form asked for, with the columns asked for."""
    wanted = [name.lower() for name in options.values("-c", "--column")]
    unknown = [name for name in wanted if name not in [head.lower() for head in heads]]
    if unknown:
        raise Usage(f"No recognized column names in {unknown}. Recognized columns are {heads}.")
    keep = [n for n, head in enumerate(heads) if not wanted or head.lower() in wanted]
    heads, rows = [heads[n] for n in keep], [[row[n] for n in keep] for row in rows]
    form = options.value("-f", "--format") or "table"
    if form == "json":
        return json.dumps([dict(zip(heads, row)) for row in rows], indent=2) + "\n"
    if form == "value":
        return "".join(" ".join(cell(value) for value in row) + "\n" for row in rows)
    return table(heads, rows) if rows else "\n"


def single(fields, options):
    """One thing in the form asked for, with the fields asked for."""
    wanted = options.values("-c", "--column")
    fields = {name: value for name, value in fields.items() if not wanted or name in wanted}
    form = options.value("-f", "--format") or "table"
    if form == "json":
        return json.dumps(fields, indent=2) + "\n"
    if form == "value":
        return "".join(cell(value) + "\n" for value in fields.values())
    return table(["Field", "Value"], fields.items())
