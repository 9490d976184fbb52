"""The plot: one panel of bars for each figure, as an SVG file written by hand."""
from xml.sax.saxutils import escape

COLUMNS, PANEL, GAP, MARGIN = 3, 380, 24, 20
BAR, STEP, HEAD, LABEL, VALUE = 14, 19, 40, 130, 60
FLOOR, OURS, PEER, INK, FAINT = "#b8bec6", "#d9480f", "#4c6ef5", "#1f2329", "#6b7280"


def text(x, y, words, size=11, colour=INK, anchor="start", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{escape(words)}</text>')


def panel(left, top, row, clients, ours):
    heading, unit, values, digits, more_is_better, _ = row
    shown = [(client, values[client.name]) for client in clients if values[client.name] is not None]
    longest = max(value for _, value in shown) or 1
    room = PANEL - LABEL - VALUE
    out = [text(left, top + 12, heading, 13, weight="bold"),
           text(left, top + 28, f"{unit}, {'more' if more_is_better else 'less'} is better", 10, FAINT)]
    for index, (client, value) in enumerate(shown):
        y = top + HEAD + index * STEP
        colour = FLOOR if client.is_floor else OURS if client is ours else PEER
        width = max(1.0, value / longest * room)
        weight = "bold" if client is ours else "normal"
        out.append(text(left + LABEL - 6, y + 11, client.label, anchor="end", weight=weight))
        out.append(f'<rect x="{left + LABEL}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>')
        out.append(text(left + LABEL + width + 4, y + 11, f"{value:,.{digits}f}", 10))
    return out


def draw(rows, clients, ours, caption):
    """The SVG of all rows that are to be plotted, or None."""
    rows = [row for row in rows if row[5]]
    if not rows:
        return None
    height_of_panel = HEAD + len(clients) * STEP + GAP
    width = 2 * MARGIN + COLUMNS * PANEL + (COLUMNS - 1) * GAP
    height = 2 * MARGIN + 24 + -(-len(rows) // COLUMNS) * height_of_panel
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
           'font-family="system-ui, sans-serif">',
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    for index, row in enumerate(rows):
        left = MARGIN + index % COLUMNS * (PANEL + GAP)
        out += panel(left, MARGIN + index // COLUMNS * height_of_panel, row, clients, ours)
    out += [text(MARGIN, height - MARGIN + 4, caption, 10, FAINT), "</svg>"]
    return "\n".join(out) + "\n"
