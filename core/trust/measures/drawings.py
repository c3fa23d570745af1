"""Drawn pictures that are no dermoscopic photos: documents, screens, charts, patterns, faces, animals, scenes, tissue."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

# fmt: off
WORDS = (
    "the", "patient", "report", "of", "lesion", "on", "left", "arm", "page", "total",
    "invoice", "date", "name", "address", "history", "and", "was", "in", "for", "with",
    "table", "results", "see", "figure", "method", "cells", "search", "settings", "file", "edit",
    "view", "help", "new", "open", "save", "account", "message", "today", "street",
)
# fmt: on
PAPER = ((255, 255, 255), (250, 248, 240), (242, 238, 225), (235, 235, 238), (225, 215, 190))


def draw_document(rng: np.random.Generator) -> np.ndarray:
    """A page of text, printed or scanned, whole or a corner of it, sometimes turned, tinted, or lit from one side."""
    width, height = _size(rng)
    paper = np.array(PAPER[rng.integers(len(PAPER))])
    picture = Image.new("RGB", (width, height), tuple(paper))
    pen, step = ImageDraw.Draw(picture), int(rng.integers(10, 40))
    ink = tuple(int(v) for v in rng.integers(0, 80, 3))
    y, margin = int(rng.integers(-step, 3 * step)), int(rng.integers(0, width // 5))
    while y < height:
        kind = rng.random()
        if kind < 0.08:
            pen.line((margin, y, width - margin, y), fill=ink, width=int(rng.integers(1, 3)))
        elif kind < 0.14:
            pen.text((margin, y), _sentence(rng, 3), fill=ink, font=_font(step * 1.3))
        elif kind < 0.9:
            pen.text((margin, y), _sentence(rng, 18), fill=ink, font=_font(step * 0.75))
        y += int(step * (1.2 if kind > 0.14 else 1.9))
    if rng.random() < 0.3:
        box = [int(v) for v in (*rng.uniform(0, 0.6, 2) * (width, height), *rng.uniform(0.6, 1, 2) * (width, height))]
        pen.rectangle(box, outline=ink, width=2)
    if rng.random() < 0.4:
        picture = picture.rotate(float(rng.uniform(-25, 25)), Image.Resampling.BILINEAR, fillcolor=tuple(paper))
    return _lit(picture, rng, 0.5)


def draw_screen(rng: np.random.Generator) -> np.ndarray:
    """A screenshot: bars, panels, buttons, icons and text, light or dark."""
    width, height = _size(rng)
    dark = rng.random() < 0.35
    ground = (
        tuple(int(v) for v in rng.integers(15, 60, 3)) if dark else tuple(int(v) for v in rng.integers(225, 256, 3))
    )
    ink = (225, 225, 225) if dark else (35, 35, 40)
    picture = Image.new("RGB", (width, height), ground)
    pen, unit = ImageDraw.Draw(picture), int(rng.integers(14, 36))
    accent = _vivid(rng)
    pen.rectangle((0, 0, width, unit * 1.5), fill=accent if rng.random() < 0.6 else _shade(ground, 0.9))
    if rng.random() < 0.7:
        side = width * rng.uniform(0.12, 0.3)
        pen.rectangle((0, unit * 1.5, side, height), fill=_shade(ground, 0.93))
        for row in range(int(height / unit)):
            pen.text((unit / 2, unit * (2 + 1.5 * row)), _sentence(rng, 2), fill=ink, font=_font(unit * 0.55))
    for _ in range(int(rng.integers(4, 14))):
        x, y = rng.uniform(0, width), rng.uniform(unit, height)
        w, h = rng.uniform(0.1, 0.5) * width, rng.uniform(0.05, 0.3) * height
        pen.rounded_rectangle(
            (x, y, x + w, y + h), 6, fill=accent if rng.random() < 0.25 else _shade(ground, rng.uniform(0.85, 1.0))
        )
        for line in range(int(h / unit)):
            pen.text((x + 6, y + 6 + line * unit), _sentence(rng, 5), fill=ink, font=_font(unit * 0.6))
    for _ in range(int(rng.integers(0, 8))):
        x, y, r = rng.uniform(0, width), rng.uniform(0, height), unit * rng.uniform(0.3, 1)
        pen.ellipse((x - r, y - r, x + r, y + r), fill=_vivid(rng))
    return np.asarray(picture)


def draw_chart(rng: np.random.Generator) -> np.ndarray:
    """A diagram: lines, bars, points, a pie or a heat map, with axes."""
    width, height = _size(rng)
    ground = (255, 255, 255) if rng.random() < 0.75 else tuple(int(v) for v in rng.integers(10, 60, 3))
    ink = (30, 30, 30) if sum(ground) > 380 else (220, 220, 220)
    picture = Image.new("RGB", (width, height), ground)
    pen = ImageDraw.Draw(picture)
    box = left, top, right, foot = width * 0.12, height * 0.08, width * 0.95, height * 0.88
    fill = _CHARTS[rng.integers(len(_CHARTS))]
    fill(pen, box, rng)
    if fill is not _pie:
        pen.line((left, top, left, foot, right, foot), fill=ink, width=2)
        for i in range(6):
            pen.text((left + (right - left) * i / 6, foot + 4), str(i * 10), fill=ink, font=_font(height * 0.04))
    pen.text((left, 2), _sentence(rng, 4), fill=ink, font=_font(height * 0.055))
    return np.asarray(picture)


# Left, top, right and foot of a chart's axes, in pixels.
_Box = tuple[float, float, float, float]


def _lines(pen: ImageDraw.ImageDraw, box: _Box, rng: np.random.Generator) -> None:
    left, top, right, foot = box
    x = np.linspace(left, right, 60)
    for _ in range(int(rng.integers(1, 5))):
        y = (top + foot) / 2 + np.cumsum(rng.normal(0, pen.im.size[1] * 0.03, 60))
        pen.line(list(zip(x, y, strict=True)), fill=_vivid(rng), width=int(rng.integers(1, 5)))


def _bars(pen: ImageDraw.ImageDraw, box: _Box, rng: np.random.Generator) -> None:
    left, top, right, foot = box
    count = int(rng.integers(3, 15))
    for i, share in enumerate(rng.uniform(0.1, 1, count)):
        x = left + (right - left) * i / count
        pen.rectangle((x, foot - share * (foot - top), x + (right - left) / count * 0.8, foot), fill=_vivid(rng))


def _points(pen: ImageDraw.ImageDraw, box: _Box, rng: np.random.Generator) -> None:
    left, top, right, foot = box
    colour = _vivid(rng)
    for x, y in rng.normal(0.5, 0.18, (int(rng.integers(20, 300)), 2)) * (right - left, foot - top) + (left, top):
        pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)


def _pie(pen: ImageDraw.ImageDraw, box: _Box, rng: np.random.Generator) -> None:
    left, top, _, foot = box
    ground = pen.im.getpixel((0, 0))
    edges = np.r_[0, np.sort(rng.uniform(0, 360, int(rng.integers(2, 7)))), 360]
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        pen.pieslice((left, top, left + foot - top, foot), start, end, fill=_vivid(rng), outline=ground)


def _heat_map(pen: ImageDraw.ImageDraw, box: _Box, rng: np.random.Generator) -> None:
    left, top, right, foot = box
    count = int(rng.integers(4, 14))
    for row in range(count):
        for column in range(count):
            x, y = left + (right - left) * column / count, top + (foot - top) * row / count
            shade = int(255 * rng.random())
            pen.rectangle(
                (x, y, x + (right - left) / count, y + (foot - top) / count), fill=(shade, shade, 255 - shade // 2)
            )


_CHARTS = (_lines, _bars, _points, _pie, _heat_map)


def draw_pattern(rng: np.random.Generator) -> np.ndarray:
    """One colour, a gradient, noise, checks, stripes or dots."""
    width, height = _size(rng)
    y, x = np.mgrid[0:height, 0:width].astype("float32")
    a, b = rng.uniform(0, 255, (2, 3))
    kind = rng.integers(8)
    if kind == 0:
        share = np.zeros((height, width))
    elif kind == 1:
        angle = rng.uniform(0, 2 * math.pi)
        share = 0.5 + 0.5 * (np.cos(angle) * (x / width - 0.5) + np.sin(angle) * (y / height - 0.5)) * 1.4
    elif kind == 2:
        share = np.hypot(x / width - 0.5, y / height - 0.5) * 1.4
    elif kind == 3:
        return rng.integers(0, 256, (height, width, 3), dtype="uint8")
    elif kind == 4:
        side = rng.integers(4, 80)
        share = ((x // side + y // side) % 2).astype("float32")
    elif kind == 5:
        share = 0.5 + 0.5 * np.sin((x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1)) * rng.uniform(0.02, 0.6))
    elif kind == 6:
        pitch = rng.uniform(10, 60)
        share = (np.hypot(x % pitch - pitch / 2, y % pitch - pitch / 2) < pitch / 3).astype("float32")
    else:
        share = _clouds(rng, (height, width), int(rng.integers(3, 60)))
    return _bytes(a + (b - a) * share[..., None])


def draw_line_art(rng: np.random.Generator) -> np.ndarray:
    """Strokes, outlines and shapes on plain ground."""
    width, height = _size(rng)
    picture = Image.new("RGB", (width, height), PAPER[rng.integers(len(PAPER))] if rng.random() < 0.7 else _vivid(rng))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(5, 50))):
        points = [tuple(p) for p in rng.uniform(0, 1, (int(rng.integers(2, 7)), 2)) * (width, height)]
        kind, ink = rng.integers(4), (20, 20, 20) if rng.random() < 0.6 else _vivid(rng)
        box = (*np.minimum(points[0], points[1]), *np.maximum(points[0], points[1]))
        if kind == 0:
            pen.line(points, fill=ink, width=int(rng.integers(1, 7)))
        elif kind == 1:
            pen.ellipse(box, outline=ink, width=int(rng.integers(1, 5)))
        elif kind == 2:
            pen.rectangle(box, outline=ink, width=int(rng.integers(1, 5)))
        else:
            pen.polygon(points, fill=ink if rng.random() < 0.3 else None, outline=ink)
    return np.asarray(picture)


def draw_face(rng: np.random.Generator) -> np.ndarray:
    """A face in skin colours with hair, eyes, nose and mouth, shaded, before a wall or sky."""
    width, height = _size(rng)
    ground = _gradient(rng, width, height)
    pen = ImageDraw.Draw(ground)
    skin = _skin(rng)
    cx, cy, r = (
        width * rng.uniform(0.4, 0.6),
        height * rng.uniform(0.42, 0.58),
        min(width, height) * rng.uniform(0.2, 0.42),
    )
    hair = tuple(
        int(v) for v in np.array(((30, 22, 18), (90, 55, 30), (190, 150, 90), (120, 120, 125))[rng.integers(4)])
    )
    pen.rectangle((cx - r * 1.6, cy + r * 1.25, cx + r * 1.6, cy + r * 9), fill=_vivid(rng))
    pen.rectangle((cx - r * 0.35, cy + r * 0.8, cx + r * 0.35, cy + r * 1.5), fill=_shade(skin, 0.85))
    pen.ellipse((cx - r * 1.05, cy - r * 1.5, cx + r * 1.05, cy + r * rng.uniform(0.1, 1.2)), fill=hair)
    pen.ellipse((cx - r * 0.85, cy - r * 1.1, cx + r * 0.85, cy + r * 1.2), fill=skin)
    for side in (-1, 1):
        ex, ey = cx + side * r * 0.38, cy - r * 0.15
        pen.ellipse((ex - r * 0.17, ey - r * 0.1, ex + r * 0.17, ey + r * 0.1), fill=(245, 245, 245))
        pen.ellipse((ex - r * 0.08, ey - r * 0.08, ex + r * 0.08, ey + r * 0.08), fill=(40, 60, 70))
        pen.line((ex - r * 0.2, ey - r * 0.27, ex + r * 0.2, ey - r * 0.27), fill=hair, width=max(2, int(r * 0.06)))
    pen.line(
        (cx, cy - r * 0.1, cx - r * 0.1, cy + r * 0.35, cx + r * 0.08, cy + r * 0.37),
        fill=_shade(skin, 0.75),
        width=max(1, int(r * 0.04)),
    )
    pen.chord((cx - r * 0.3, cy + r * 0.45, cx + r * 0.3, cy + r * 0.8), 10, 170, fill=(175, 70, 75))
    return _lit(ground.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 3)))), rng, 0.8)


def draw_animal(rng: np.random.Generator) -> np.ndarray:
    """An animal's striped, furry head with ears, eyes and whiskers."""
    width, height = _size(rng)
    ground = _gradient(rng, width, height)
    pen = ImageDraw.Draw(ground)
    fur = np.array(
        ((200, 130, 70), (60, 55, 55), (150, 145, 140), (235, 230, 220), (120, 85, 55))[rng.integers(5)], "float64"
    )
    fill = tuple(int(v) for v in fur)
    cx, cy, r = (
        width * rng.uniform(0.35, 0.65),
        height * rng.uniform(0.4, 0.6),
        min(width, height) * rng.uniform(0.22, 0.5),
    )
    pen.ellipse((cx - r * 1.4, cy + r * 0.5, cx + r * 1.4, cy + r * 3), fill=_shade(fill, 0.9))
    for side in (-1, 1):
        pen.polygon(
            [
                (cx + side * r * 0.9, cy - r * 0.3),
                (cx + side * r * 0.8, cy - r * 1.4),
                (cx + side * r * 0.2, cy - r * 0.8),
            ],
            fill=fill,
        )
    pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=fill)
    for _ in range(int(rng.integers(3, 20))):
        x, y = cx + rng.uniform(-0.8, 0.8) * r, cy + rng.uniform(-0.9, 0.2) * r
        pen.line(
            (x, y, x + rng.uniform(-0.3, 0.3) * r, y + rng.uniform(-0.3, 0.3) * r),
            fill=_shade(fill, 0.6),
            width=max(2, int(r * 0.05)),
        )
    for side in (-1, 1):
        ex, ey = cx + side * r * 0.4, cy - r * 0.15
        pen.ellipse((ex - r * 0.2, ey - r * 0.16, ex + r * 0.2, ey + r * 0.16), fill=_vivid(rng))
        pen.ellipse((ex - r * 0.05, ey - r * 0.15, ex + r * 0.05, ey + r * 0.15), fill=(10, 10, 10))
        for tilt in (-0.15, 0, 0.15):
            pen.line(
                (cx + side * r * 0.2, cy + r * 0.35, cx + side * r * 1.4, cy + r * (0.3 + tilt * 2)),
                fill=(240, 240, 240),
                width=1,
            )
    pen.polygon(
        [(cx - r * 0.12, cy + r * 0.2), (cx + r * 0.12, cy + r * 0.2), (cx, cy + r * 0.34)], fill=(220, 140, 145)
    )
    rough = np.asarray(ground, "float32") + rng.normal(0, rng.uniform(3, 22), (height, width, 1))
    return _lit(Image.fromarray(_bytes(rough)).filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.5)))), rng, 0.6)


def draw_scene(rng: np.random.Generator) -> np.ndarray:
    """A landscape, street or room: sky or wall, ground, boxes with windows, trees, round things on a table."""
    width, height = _size(rng)
    picture = _gradient(rng, width, height)
    pen = ImageDraw.Draw(picture)
    horizon = height * rng.uniform(0.35, 0.8)
    pen.rectangle((0, horizon, width, height), fill=tuple(int(v) for v in rng.uniform(40, 200, 3)))
    for _ in range(int(rng.integers(2, 9))):
        x, w, h = rng.uniform(0, width), rng.uniform(0.05, 0.35) * width, rng.uniform(0.1, 0.6) * height
        kind, fill = rng.integers(3), tuple(int(v) for v in rng.uniform(20, 235, 3))
        if kind == 0:
            pen.rectangle((x, horizon - h, x + w, horizon + h * 0.3), fill=fill)
            for wx in np.arange(x + w * 0.15, x + w * 0.9, max(6, w * 0.25)):
                for wy in np.arange(horizon - h * 0.9, horizon, max(8, h * 0.25)):
                    pen.rectangle((wx, wy, wx + w * 0.12, wy + h * 0.12), fill=_shade(fill, rng.uniform(0.4, 1.5)))
        elif kind == 1:
            pen.rectangle((x, horizon - h, x + w * 0.15, horizon), fill=(90, 65, 45))
            pen.ellipse(
                (x - w * 0.6, horizon - h * 1.7, x + w * 0.7, horizon - h * 0.6),
                fill=(int(rng.integers(20, 90)), int(rng.integers(80, 160)), 50),
            )
        else:
            pen.ellipse((x, horizon - h * 0.4, x + w, horizon + h * 0.4), fill=fill, outline=_shade(fill, 0.6), width=3)
    rough = (
        np.asarray(picture, "float32")
        + 18 * (_clouds(rng, (height, width), 40) - 0.5)[..., None]
        + rng.normal(0, 4, (height, width, 1))
    )
    return _lit(Image.fromarray(_bytes(rough)), rng, 0.7)


def draw_tissue(rng: np.random.Generator) -> np.ndarray:
    """A stained tissue section: pink or brown ground, clefts of white, many dark nuclei."""
    width, height = _size(rng)
    pale = np.array(((235, 195, 220), (225, 160, 195), (240, 225, 235), (225, 215, 200))[rng.integers(4)], "float64")
    deep = np.array(((205, 110, 165), (170, 90, 160), (150, 100, 60), (190, 120, 180))[rng.integers(4)], "float64")
    share = _clouds(rng, (height, width), int(rng.integers(6, 40)))
    field = pale + (deep - pale) * share[..., None]
    cleft = _clouds(rng, (height, width), int(rng.integers(4, 20))) > rng.uniform(0.62, 0.95)
    field[cleft] = (242, 240, 243)
    picture = Image.fromarray(_bytes(field))
    pen, r = ImageDraw.Draw(picture), rng.uniform(2, 11)
    nucleus = np.array(((80, 50, 130), (60, 40, 110), (90, 60, 40), (110, 60, 140))[rng.integers(4)], "float64")
    for x, y in rng.uniform(0, 1, (int(width * height / (r * r) * rng.uniform(0.02, 0.09)), 2)) * (width, height):
        if not cleft[min(height - 1, int(y)), min(width - 1, int(x))]:
            a, b = r * rng.uniform(0.6, 1.4, 2)
            pen.ellipse(
                (x - a, y - b, x + a, y + b),
                fill=tuple(int(v) for v in np.clip(nucleus + rng.normal(0, 15, 3), 0, 255)),
            )
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.5)))))


def draw_skin(rng: np.random.Generator) -> np.ndarray:
    """Plain skin of any tone, with fine creases, pores, a few hairs, uneven light, and no lesion."""
    width, height = _size(rng)
    field = np.array(_skin(rng), "float64") + 22 * (_clouds(rng, (height, width), 5) - 0.5)[..., None] * rng.uniform(
        0.3, 1.5
    )
    field += 9 * (_clouds(rng, (height, width), 90) - 0.5)[..., None] + rng.normal(
        0, rng.uniform(1, 5), (height, width, 1)
    )
    picture = Image.fromarray(_bytes(field))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(0, 25))):
        x, y, angle, reach = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0, 6.3), rng.uniform(10, 90)
        pen.line(
            (x, y, x + reach * math.cos(angle), y + reach * math.sin(angle)), fill=_shade(_skin(rng), 0.45), width=1
        )
    return _lit(picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.6)))), rng, 0.7)


def _size(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(280, 640)), int(rng.integers(280, 520))


def _font(size: float):
    return ImageFont.load_default(max(7, size))


def _sentence(rng: np.random.Generator, count: int) -> str:
    return " ".join(rng.choice(WORDS, count))


def _vivid(rng: np.random.Generator) -> tuple[int, int, int]:
    return tuple(int(v) for v in rng.permutation([rng.integers(150, 256), rng.integers(0, 256), rng.integers(0, 120)]))


def _skin(rng: np.random.Generator) -> tuple[int, int, int]:
    """From very fair to very dark."""
    dark, fair = np.array((85, 55, 42)), np.array((240, 205, 185))
    colour = dark + (fair - dark) * rng.uniform(0, 1) + rng.normal(0, 6, 3)
    return tuple(int(v) for v in np.clip(colour, 0, 255))


def _shade(colour: tuple, factor: float) -> tuple[int, int, int]:
    return tuple(int(min(255, v * factor)) for v in colour)


def _bytes(field: np.ndarray) -> np.ndarray:
    return np.clip(field, 0, 255).astype("uint8")


def _clouds(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> np.ndarray:
    """Smooth random field, (H, W), about 0..1."""
    coarse = Image.fromarray(rng.random((max(2, cells), max(2, cells))).astype("float32"))
    return np.asarray(coarse.resize(shape[::-1], Image.Resampling.BICUBIC))


def _gradient(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    a, b = rng.uniform(30, 245, (2, 3))
    share = np.linspace(0, 1, height)[:, None, None] + 0.15 * (_clouds(rng, (height, width), 6) - 0.5)[..., None]
    return Image.fromarray(_bytes(a + (b - a) * share))


def _lit(picture: Image.Image, rng: np.random.Generator, chance: float) -> np.ndarray:
    """Light that falls off to one side and is warm or cold, as in a photo of the thing."""
    photo = np.asarray(picture, "float32")
    if rng.random() > chance:
        return photo.astype("uint8")
    height, width = photo.shape[:2]
    y, x = np.mgrid[-0.5 : 0.5 : height * 1j, -0.5 : 0.5 : width * 1j]
    angle = rng.uniform(0, 2 * math.pi)
    light = 1 + rng.uniform(0, 0.7) * (np.cos(angle) * x + np.sin(angle) * y)
    return _bytes(
        photo * (light * rng.uniform(0.65, 1.1))[..., None] * rng.uniform(0.88, 1.08, 3) + rng.normal(0, 2, photo.shape)
    )
