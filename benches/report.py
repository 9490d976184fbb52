"""The report: one Markdown table, a line for each figure, a column for each client."""
import os
import platform
import time

import scenarios

KINDS = (("instructions", "instructions", 0), ("system_calls", "system calls", 2))


def rows(measurement, counted):
    """(heading, unit, values by client name, digits, more is better, plotted), in the order of the report."""
    out = []
    for scenario in measurement.chosen:
        for figure in scenario.figures:
            values = {client.name: measurement.median(client, scenario, figure) for client in measurement.clients}
            out.append((figure.heading, figure.unit, values, figure.digits, figure.more_is_better, figure.plotted))
    for kind, unit, digits in KINDS:
        for scenario in scenarios.COUNTED:
            values = {client.name: counted.get((client.name, scenario.key), {}).get(kind)
                      for client in measurement.clients}
            plotted = kind == "instructions" and scenario.key in ("rtt-32", "send-32", "recv-32", "recv-64k")
            out.append((scenarios.NAMES[scenario.key], f"{unit} a message", values, digits, False, plotted))
    return [row for row in out if any(value is not None for value in row[2].values())]


def table(clients, measured):
    lines = ["| | unit | " + " | ".join(client.label for client in clients) + " |",
             "|---|---|" + "---:|" * len(clients)]
    for heading, unit, values, digits, more_is_better, _ in measured:
        best = best_of(clients, values, more_is_better)
        cells = []
        for client in clients:
            text = shown(values[client.name], digits)
            is_best = best is not None and not client.is_floor and text == shown(best, digits)
            cells.append(f"**{text}**" if is_best else text)
        lines.append(f"| {heading} | {unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def best_of(clients, values, more_is_better):
    """The best that is no floor."""
    real = [values[client.name] for client in clients if not client.is_floor and values[client.name] is not None]
    return (max if more_is_better else min)(real) if len(real) > 1 else None


def shown(value, digits):
    # Rounded first, for there is no minus nothing.
    return "–" if value is None else f"{round(value, digits) + 0.0:,.{digits}f}"


def machine():
    model = ""
    with open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    load = os.getloadavg()[0]
    return (f"{time.strftime('%Y-%m-%d')}, {model or platform.machine()}, {os.cpu_count()} processors, "
            f"Linux {platform.release()}, load {load:.1f} at the end")
