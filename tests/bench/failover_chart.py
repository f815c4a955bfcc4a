"""A picture of failover times: a dot for each, a row for each kind of fault, a logarithmic scale.

Fixed lines of SVG and a few numbers are all it takes; a plotting library would be the largest
package that Skein needs, for this one picture.
"""

import math
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP, ROW = 860, 170, 30, 56, 74
TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
STYLE = '''<style>
  text { font: 13px sans-serif; fill: #333 }
  .title { font-size: 16px; font-weight: bold }
  .small { font-size: 11px; fill: #666 }
  .grid { stroke: #ddd }
  .dot { fill: #2a6f97; fill-opacity: 0.45 }
  .median { stroke: #c1121f; stroke-width: 2 }
</style>'''


def quantile(values, fraction):
    return sorted(values)[min(len(values) - 1, int(fraction * len(values)))]


class Scale:
    """Milliseconds to a place on the horizontal axis, between two ticks that hold all values."""

    def __init__(self, values):
        self.low = max([t for t in TICKS if t <= min(values)], default=TICKS[0])
        self.high = min([t for t in TICKS if t >= max(values)], default=max(values))
        self.high = max(self.high, 2 * self.low)

    def place(self, ms):
        share = math.log(max(ms, self.low) / self.low) / math.log(self.high / self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def ticks(self):
        return [tick for tick in TICKS if self.low <= tick <= self.high]


def draw_grid(scale, height):
    for tick in scale.ticks():
        x = scale.place(tick)
        name = f'{tick} ms' if tick < 1000 else f'{tick // 1000} s'
        yield f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height - 24}"/>'
        yield f'<text class="small" x="{x:.1f}" y="{height - 8}" text-anchor="middle">{name}</text>'


def draw_row(scale, number, name, values):
    """The dots lie under one another where they would hide each other."""
    middle = TOP + ROW * number + ROW / 2
    median, p99 = quantile(values, 0.5), quantile(values, 0.99)
    yield f'<text x="12" y="{middle - 6:.1f}">{escape(name)}</text>'
    yield (f'<text class="small" x="12" y="{middle + 12:.1f}">{len(values)} times: median '
           f'{median:.1f},</text><text class="small" x="12" y="{middle + 26:.1f}">p99 {p99:.1f}, '
           f'max {max(values):.1f} ms</text>')
    levels = {}
    for value in sorted(values):
        column = round(scale.place(value) / 6)
        level = levels[column] = levels.get(column, -1) + 1
        shift = (level + 1) // 2 * (6 if level % 2 else -6)
        y = middle + max(-ROW / 2 + 6, min(ROW / 2 - 6, shift))
        yield f'<circle class="dot" cx="{scale.place(value):.1f}" cy="{y:.1f}" r="3.5"/>'
    x = scale.place(median)
    yield (f'<line class="median" x1="{x:.1f}" y1="{middle - ROW / 2 + 4:.1f}" '
           f'x2="{x:.1f}" y2="{middle + ROW / 2 - 4:.1f}"/>')


def draw(title, rows):
    """The whole picture; rows are (name, times in ms), those without times are left out."""
    rows = [(name, values) for name, values in rows if values]
    height = TOP + ROW * len(rows) + 30
    scale = Scale([value for _, values in rows for value in values])
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">', STYLE,
             f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
             f'<text class="title" x="12" y="26">{escape(title)}</text>',
             '<text class="small" x="12" y="44">a dot is one failover, the red line the median'
             '</text>']
    parts += draw_grid(scale, height)
    for number, (name, values) in enumerate(rows):
        parts += draw_row(scale, number, name, values)
    return '\n'.join(parts + ['</svg>', ''])
