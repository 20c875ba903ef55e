"""A labelled grid of pictures: what is turned stands above the columns and before the rows.

    paper = lay([run.picture, None, …], ("seed", [1, 2]), ("crops", [8, 16]), title="fog over a castle")
"""

from PIL import Image, ImageDraw, ImageFont

from .studio import INK, PAPER, tiled, wrapped

SIDE, GAP, SIZE = 192, 8, 13        # pixels of a cell, between cells, of letters
FAINT = (225, 225, 222)             # where nothing is painted yet


def lay(sources, across, down=None, title: str = "", side: int = SIDE) -> Image.Image:
    """Pictures row by row, each a path, a run or an image; None leaves its place empty."""
    font = ImageFont.load_default(SIZE)
    columns = [f"{across[0]} {_short(value)}" for value in across[1]]
    rows = [f"{down[0]} {_short(value)}" for value in down[1]] if down else [""]
    tiles = [source and tiled(source, side) for source in sources]
    tall = max((one.height for one in tiles if one), default=side)
    before = [wrapped(text, font, side * 2 // 3) for text in rows]
    margin = round(max(map(font.getlength, sum(before, [""])))) + GAP * bool(down)
    heads = [wrapped(text, font, side) for text in columns]
    width = GAP + margin + len(columns) * (side + GAP)
    told = wrapped(title, font, width - 2 * GAP)
    head = GAP + _height(len(told)) + _height(max(map(len, heads)))
    paper = Image.new("RGB", (width, head + GAP + len(rows) * (tall + GAP)), PAPER)
    draw = ImageDraw.Draw(paper)
    _write(draw, told, GAP, GAP // 2, font)
    for column, lines in enumerate(heads):
        _write(draw, lines, GAP + margin + column * (side + GAP), head - _height(len(lines)), font)
    for number, one in enumerate(tiles):
        row, column = divmod(number, len(columns))
        x, y = GAP + margin + column * (side + GAP), head + GAP + row * (tall + GAP)
        if not column:
            _write(draw, before[row], GAP, y + (tall - _height(len(before[row]))) // 2, font)
        if one:
            paper.paste(one, (x + (side - one.width) // 2, y + (tall - one.height) // 2))
        else:
            draw.rectangle((x, y, x + side - 1, y + tall - 1), FAINT)
    return paper


def _short(value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _height(lines) -> int:
    return round(lines * SIZE * 1.3)


def _write(draw, lines, x, y, font):
    for number, words in enumerate(lines):
        draw.text((x, y + _height(number)), words, INK, font)
