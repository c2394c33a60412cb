"""The rates as a picture: a bar for each case, as long as Burgee's share of the bare server's rate."""

from collections.abc import Sequence
from html import escape

from bench.figures import Result
from bench.tables import share as written_share

_WIDTH, _LABELS, _RIGHT = 860, 330, 70
_TOP, _ROW, _BAR = 52, 30, 16
# Dark and light pages alike: colours that stand out on both, and no background.
_MET, _MISSED, _FREE, _INK = "#2a9d6f", "#d1495b", "#6c8ebf", "#7d8590"


def chart(results: Sequence[Result]) -> str:
    """Return an SVG of the cases that have a ratio; a mark shows the target of each."""
    shown = [result for result in results if result.is_ratio and result.value is not None]
    longest = max([1.0, *(result.value or 0.0 for result in shown)])
    scale = (_WIDTH - _LABELS - _RIGHT) / longest
    height = _TOP + _ROW * len(shown) + 14
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="13" fill="{_INK}">',
        "<title>Requests per second, as a share of the bare server's</title>",
        '<text x="0" y="18" font-size="15">Requests per second, as a share of the bare server\'s '
        "(the line: its target)</text>",
        *(_gridline(each / 5, scale, height) for each in range(6)),
        *(_row(result, number_, scale) for number_, result in enumerate(shown)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _gridline(share: float, scale: float, height: int) -> str:
    x = _LABELS + share * scale
    return (
        f'<text x="{x:.1f}" y="{_TOP - 14}" text-anchor="middle" font-size="11">{share:.1f}</text>'
        f'<line x1="{x:.1f}" y1="{_TOP - 8}" x2="{x:.1f}" y2="{height - 8}" stroke="{_INK}" '
        'stroke-opacity="0.25"/>'
    )


def _row(result: Result, place: int, scale: float) -> str:
    share = result.value or 0.0
    target = result.target.bound if result.target else 0.0
    top = _TOP + place * _ROW
    middle, end = top + _BAR - 4, _LABELS + max(share, target) * scale  # the mark of a missed target, too
    colour = {True: _MET, False: _MISSED, None: _FREE}[result.met]
    bar = (
        f'<text x="{_LABELS - 10}" y="{middle}" text-anchor="end">{escape(result.case)}</text>'
        f'<rect x="{_LABELS}" y="{top}" width="{share * scale:.1f}" height="{_BAR}" rx="2" fill="{colour}"/>'
        f'<text x="{end + 6:.1f}" y="{middle}">{written_share(result)}</text>'
    )
    if result.target is None:
        return bar
    x = _LABELS + target * scale
    mark = f'x1="{x:.1f}" y1="{top - 3}" x2="{x:.1f}" y2="{top + _BAR + 3}"'
    return f'{bar}<line {mark} stroke="{_INK}" stroke-width="2"/>'
