"""Draws the SQNR along the graph as an SVG image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from tflint.confirm.compare.comparison import ComparedActivation, Comparison, SampleRun
from tflint.report.display_names import clean, short_name

#: First characters of the images, by which tflint recognizes its own ones.
BEGINNING = '<svg xmlns="http://www.w3.org/2000/svg" id="tflint-compare"'
WIDTH, HEIGHT = 960, 420
#: Distances of the axes from the edges of the image.
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 56, 64
#: Range of the axis in dB. Values outside are drawn at its ends.
LOWEST, HIGHEST, TICK = 0, 60, 10
#: Maximum number of points of the line.
MAX_POINTS = 2_000


def render(comparison: Comparison) -> str:
    """Return the image; without a run, it has no line."""
    run = comparison.run
    title = f"SQNR of {clean(comparison.model)} compared with {clean(comparison.reference)}"
    lines = [
        f'{BEGINNING} width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{escape(_shorten(title))}</text>',
        f'<text x="{LEFT}" y="40" fill="#555555">{escape(_subtitle(comparison))}</text>',
        *_draw_axes(),
        *(_draw_run(run) if run is not None else ()),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _shorten(text: str) -> str:
    return text if len(text) <= 110 else text[:109] + "…"


def _subtitle(comparison: Comparison) -> str:
    run = comparison.run
    if run is None:
        return f"not run: {clean(comparison.not_run)}"
    return f"{run.runtime}, {run.n_samples} samples ({clean(run.samples_from)}), seed {comparison.seed}"


def _draw_axes() -> Iterator[str]:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    for level in range(LOWEST, HIGHEST + 1, TICK):
        y = _y(level)
        yield f'<line x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{level}</text>'
    yield f'<line x1="{LEFT}" y1="{TOP}" x2="{LEFT}" y2="{bottom}" stroke="#333333"/>'
    yield f'<line x1="{LEFT}" y1="{bottom}" x2="{right}" y2="{bottom}" stroke="#333333"/>'
    middle = (TOP + bottom) / 2
    yield f'<text x="16" y="{middle}" text-anchor="middle" transform="rotate(-90 16 {middle})">SQNR in dB</text>'
    yield (
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 32}" text-anchor="middle">tensors in execution order; '
        "red: an error is born here</text>"
    )


def _y(level: float) -> float:
    share = (min(max(level, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST)
    return round(HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP), 1)


def _draw_run(run: SampleRun) -> Iterator[str]:
    rows = _thin_out(run.activations)
    last = max(len(run.activations) - 1, 1)
    places = [(round(LEFT + place * (WIDTH - LEFT - RIGHT) / last, 1), _y(row.error.sqnr)) for place, row in rows]
    points = " ".join(f"{x},{y}" for x, y in places)
    yield f'<polyline points="{points}" fill="none" stroke="#1f6fb2" stroke-width="1.5"/>'
    for (x, y), (_, row) in zip(places, rows, strict=True):
        color, radius = ("#c62828", 5) if row.is_born else ("#1f6fb2", 2)
        name = f"{row.opcode} {short_name(row.name)}: {row.error.sqnr:.1f} dB"
        yield f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{color}"><title>{escape(name)}</title></circle>'


def _thin_out(rows: Sequence[ComparedActivation]) -> list[tuple[int, ComparedActivation]]:
    """Return the rows with their places; of many rows, every n-th and those at which an error is born."""
    step = -(-len(rows) // MAX_POINTS)
    return [(place, row) for place, row in enumerate(rows) if place % max(step, 1) == 0 or row.is_born]
