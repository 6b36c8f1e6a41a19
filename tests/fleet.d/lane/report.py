"""The bench's figures as Markdown, for docs/performance.md."""

import statistics

OURS = "jumpdeck"


def middle(rows, field):
    """The median of one field over the measurements that have it."""
    known = [row[field] for row in rows if row.get(field) is not None]
    return statistics.median(known) if known else None


def seconds(value):
    """Milliseconds as seconds with a sensible number of places."""
    return "–" if value is None else f"{value / 1000:.3f}"


def lost(rows, hosts):
    """The most hosts a rival lost in one poll, in words; empty when none."""
    worst = max((hosts - row["answered"] for row in rows if row.get("answered") is not None), default=0)
    return f" ({worst} lost)" if worst > 0 else ""


def markdown(result):
    """Both tables, and what they were taken on."""
    facts = result["machine"]
    lines = [
        f"{facts['processor']}, {facts['cores']} cores shared by client, jump box and hosts; kernel {facts['kernel']}, "
        f"{facts['openssh']}; {facts['taken']}; load before: {facts['load_before']:.2f}. Medians.",
        f"Every host does the same work each time: `{result['command']}`.",
        "",
    ]
    lines += table(result, "warm", "warm refresh, s")
    lines += [""]
    lines += table(result, "cold", "cold, first report of all hosts, s")
    return "\n".join(lines)


def table(result, kind, title):
    """One table: rivals down; time, client CPU and (warm) memory across."""
    runs = result["runs"]
    head, rule = [title], ["---"]
    for run in runs:
        where = f"{run['hosts']} hosts, {run['rtt_ms']} ms"
        head += [where, "client CPU, s"] + (["PSS MB, processes"] if kind == "warm" else [])
        rule += ["--:", "--:"] + (["--:"] if kind == "warm" else [])
    lines = [row(head), row(rule)]
    names = []
    for run in runs:
        names += [name for name in run[kind] if name not in names]
    for name in sorted(names, key=lambda n: n == OURS):
        cells = [f"**{name}**" if name == OURS else name]
        for run in runs:
            rows = run[kind].get(name, [])
            cells.append(seconds(middle(rows, "ms")) + lost(rows, run["hosts"]))
            cpu = middle(rows, "cpu_s")
            cells.append("–" if cpu is None else f"{cpu:.3f}")
            if kind == "warm":
                memory = run["memory"].get(name)
                cells.append(f"{memory['pss_kb'] / 1024:.0f}, {memory['processes']}" if memory else "–")
        lines.append(row(cells))
    return lines


def row(cells):
    return "| " + " | ".join(cells) + " |"
