"""The weekly report on one A4 page: a `Report` drawn with fpdf2, in DejaVu Sans, which matplotlib brings along.

In: the document. Out: the bytes of a PDF. Everything is text and lines: it prints sharply and can be searched.
"""

from importlib.resources import as_file, files
from itertools import zip_longest

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from data.kpi.report import Line, Report, ReportTable

FONT = "DejaVu"
INK, MUTED, RULE, BAR, BAR_BEFORE = (27, 33, 39), (85, 96, 107), (200, 205, 210), (29, 78, 121), (185, 208, 230)
MARGIN, WIDTH = 12.0, 186.0
"""Millimetres: of an A4 page of 210."""
CHART_HEIGHT = 24.0
WEEKDAYS = ("пн", "вт", "ср", "чт", "пт", "сб", "вс")
HEADINGS = ("обращений", "в срок", "просрочено", "ответ: медиана", "ответ: 90 %")
"""Of `COLUMNS` of the document."""


def draw_report(report: Report) -> bytes:
    """The PDF of a report."""
    page = FPDF(format="A4")
    page.set_margins(MARGIN, MARGIN)
    page.set_auto_page_break(
        True, MARGIN / 2
    )  # a second page would mean that something no longer fits: tests count them
    page.set_title(report.title)
    page.set_lang("ru")
    page.set_creator("TSUR")
    fonts = files("matplotlib").joinpath("mpl-data", "fonts", "ttf")
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        with as_file(fonts.joinpath(name)) as path:
            page.add_font(FONT, style, path)
    page.add_page()
    _text(page, report.title, 14, "B", 7)
    _text(page, report.subtitle, 11, "", 6)
    _text(page, report.made, 7, "", 5, MUTED)
    page.ln(1)
    _lines(page, report.lines)
    _chart(page, report)
    for table in report.tables:
        _table(page, table)
    _surges(page, report)
    _coming(page, report)
    page.ln(2)
    page.set_font(FONT, "", 6.5)
    page.set_text_color(*MUTED)
    page.multi_cell(WIDTH, 3.2, report.footnote)
    return bytes(page.output())


def _lines(page: FPDF, lines: list[Line]) -> None:
    """The figures as a table: value, interval, n, change."""
    widths = (70.0, 30.0, 38.0, 18.0, 30.0)
    _row(page, ("показатель", "значение", "интервал 95 %", "n", "к прошлой неделе"), widths, head=True)
    for line in lines:
        _row(page, (line.title, line.value, line.interval, f"{line.n:,}".replace(",", "\u00a0"), line.change), widths)
    page.ln(3)


def _chart(page: FPDF, report: Report) -> None:
    """Complaints a day: the week before pale, this week dark, each bar with its number."""
    _text(page, "Обращений в день: прошлая неделя (светлая) и эта", 8, "B", 6)
    top, most = page.get_y(), max([number for _, number in report.daily], default=0) or 1
    step, half = WIDTH / max(len(report.daily), 1), len(report.daily) // 2
    page.set_font(FONT, "", 6.5)
    page.set_text_color(*INK)
    for place, (day, number) in enumerate(report.daily):
        height = (CHART_HEIGHT - 8) * number / most
        left = MARGIN + place * step
        page.set_fill_color(*(BAR_BEFORE if place < half else BAR))
        page.rect(left + 1, top + CHART_HEIGHT - 4 - height, step - 2, height, style="F")
        page.set_xy(left, top + CHART_HEIGHT - 7.5 - height)
        page.cell(step, 3.5, f"{number}", align="C")
        page.set_xy(left, top + CHART_HEIGHT - 3.8)
        page.cell(step, 3.5, f"{WEEKDAYS[day.weekday()]} {day.day}", align="C")
    page.set_xy(MARGIN, top + CHART_HEIGHT + 2)


def _table(page: FPDF, table: ReportTable) -> None:
    widths = (76.0, 20.0, 20.0, 20.0, 25.0, 25.0)
    _row(page, (table.title, *HEADINGS), widths, head=True)
    for name, values in table.rows:
        _row(page, (name, *values), widths)
    if table.left_out:
        _text(page, f"и ещё {table.left_out}: в консоли, «Показатели»", 6.5, "", 4, MUTED)
    page.ln(2)


def _surges(page: FPDF, report: Report) -> None:
    """The surges of the week, and what became of each."""
    widths, aligned = (58.0, 34.0, 14.0, 14.0, 3.0, 63.0), "LLRRLL"
    _row(page, ("Всплески недели", "дни", "пришло", "обычно", "", "что с ним стало"), widths, aligned, head=True)
    for *facts, became in report.surges:
        _row(page, (*facts, "", became), widths, aligned)
    _note(page, report.surges_note)
    page.ln(2)


def _coming(page: FPDF, report: Report) -> None:
    """The forecast of the coming week, two sectors in a row."""
    _row(page, (report.coming_title,), (WIDTH,), head=True)
    half = (len(report.coming) + 1) // 2
    for left, right in zip_longest(report.coming[:half], report.coming[half:], fillvalue=("", "", "")):
        _row(page, (*left, "", *right), (57.0, 13.0, 21.0, 4.0, 57.0, 13.0, 21.0), "LRRLLRR")
    _note(page, report.coming_note)


def _note(page: FPDF, note: str | None) -> None:
    if note:
        _text(page, note, 6.5, "", 4, MUTED)


def _fitted(page: FPDF, text: str, width: float) -> str:
    """The text, or as much of it as fits, in the font that is set."""
    room = width - 2 * page.c_margin
    if page.get_string_width(text) <= room:
        return text
    while text and page.get_string_width(text + "…") > room:
        text = text[:-1]
    return text.rstrip() + "…"


def _row(
    page: FPDF, cells: tuple[str, ...], widths: tuple[float, ...], aligned: str | None = None, head: bool = False
) -> None:
    """One line of a table; a letter a cell says how it is aligned, by default the first to the left, others right."""
    aligned = aligned or "L".ljust(len(cells), "R")
    page.set_font(FONT, "B" if head else "", 6.5 if head else 7.5)
    page.set_text_color(*(MUTED if head else INK))
    page.set_draw_color(*RULE)
    for cell, width, align in zip(cells, widths, aligned, strict=True):
        page.cell(width, 4.3, _fitted(page, cell, width), border="B", align=align)
    page.ln(4.3)


def _text(page: FPDF, text: str, size: float, style: str, height: float, colour: tuple[int, int, int] = INK) -> None:
    page.set_font(FONT, style, size)
    page.set_text_color(*colour)
    page.cell(WIDTH, height, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
