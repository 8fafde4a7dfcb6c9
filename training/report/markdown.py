"""Markdown that is written for people: tables of frames, and the whole text as one HTML page."""

import base64
import re
from pathlib import Path

import pandas as pd

_MARKUP = re.compile(r"([\\`*<|&]|(?<![^\W_])_|_(?![^\W_])|(?<=\])\()")
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;margin:1em 0}td,th{border-bottom:1px solid #ddd;padding:.2em .7em;text-align:left;
vertical-align:top}td{font-variant-numeric:tabular-nums}img{max-width:100%}"""


def markdown_table(frame: pd.DataFrame) -> str:
    """A frame as a Markdown table; whatever a cell holds, it stays one cell and no markup."""
    lines = [list(frame.columns), ["---"] * frame.shape[1], *frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join(cell(value) for value in line) + " |" for line in lines)


def cell(value: object) -> str:
    """One value as text without markup; a dash where there is none."""
    if value is None or value != value:
        return "—"
    if isinstance(value, float):
        return f"{value:.3f}"
    return _MARKUP.sub(r"\\\1", " ".join(str(value).split())) or "—"


def as_html(text: str, folder: Path) -> str:
    """The Markdown as one HTML page that needs no other file: images of `folder` are inside."""
    from markdown_it import MarkdownIt

    def inside(match: re.Match[str]) -> str:
        return f'src="data:image/png;base64,{base64.b64encode((folder / match[1]).read_bytes()).decode()}"'

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    body = re.sub(r'src="([\w-]+\.png)"', inside, body)
    title = text.partition("\n")[0].lstrip("# ")
    return f'<!doctype html>\n<meta charset="utf-8">\n<title>{title}</title>\n<style>{STYLE}</style>\n{body}'
