"""Write a paper as PDF: text that can be selected, a title, a language, headings that a reader can jump to.

The letters are those of Noto Sans, out of a locked package and embedded as far as a paper uses them: Latin with every
extension (Vietnamese too), Cyrillic and Greek, so that names stand in their bearers' own letters. A character that the
font lacks (Chinese, Japanese and Korean signs, scripts that run from right to left) is shown as a question mark, so that
nothing vanishes silently; the page of the same paper shows it. The same paper gives the same bytes.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, TextEmphasis, XPos, YPos
from fpdf.fonts import FontFace
from pymupdf_fonts import NotoSans_Bold, NotoSans_Regular

from services.gateway.documents.document import Document, Fact, Part, Table
from services.gateway.domain.money_text import minute

FAMILY = "noto"
REGULAR: bytes = NotoSans_Regular.fontbuffer
BOLD: bytes = NotoSans_Bold.fontbuffer
MARGIN_MILLIMETRES = 18
INK = (45, 45, 45)
FOREST = (27, 77, 62)
STRIPE = (245, 242, 237)
LABEL_SHARE = 0.38
WIDE_COLUMNS = 6
"""From this many columns on, the sheet lies on its side."""
LEAST_WEIGHT = 6
MOST_WEIGHT = 40


class _Sheet(FPDF):
    """A sheet with our foot on every page."""

    def __init__(self, document: Document) -> None:
        wide = any(part.table is not None and len(part.table.headings) >= WIDE_COLUMNS for part in document.parts)
        super().__init__(orientation="landscape" if wide else "portrait", format="Letter")
        self._foot = f"{document.title} {document.reference}"
        self.set_margin(MARGIN_MILLIMETRES)
        self.set_auto_page_break(True, margin=MARGIN_MILLIMETRES)
        for style, file in _font_files().items():
            self.add_font(FAMILY, style=style, fname=file)

    def footer(self) -> None:
        """Name and page number."""
        self.set_y(-MARGIN_MILLIMETRES + 4)
        self.set_font(FAMILY, size=8)
        self.set_text_color(*INK)
        self.cell(0, 4, f"{shown(self._foot)} · page {self.page_no()} of {{nb}}", align="C")


def to_pdf(document: Document) -> bytes:
    """The paper as PDF."""
    sheet = _Sheet(document)
    sheet.set_title(shown(f"{document.title} {document.reference}"))
    sheet.set_author("Alpmera")
    sheet.set_creator("Alpmera")
    sheet.set_subject(shown(document.title))
    sheet.set_lang("en-US")
    sheet.set_creation_date(document.made_at)
    sheet.add_page()
    _heading(sheet, document.title, level=0, size=20)
    _paragraph(
        sheet, f"{document.reference}. Made on {minute(document.made_at)}; what happens afterwards is not in it."
    )
    for part in document.parts:
        _part(sheet, part)
    _paragraph(sheet, "Alpmera coordinates campaigns and administers the escrow. It is not a party to the supply.")
    return bytes(sheet.output())


@lru_cache(maxsize=1)
def _font_files() -> dict[str, Path]:
    """Style → file. fpdf2 reads fonts from files only, the package carries them as bytes: written once for a process."""
    folder = Path(tempfile.mkdtemp(prefix="alpmera-fonts-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    files = {"": (folder / "regular.ttf", REGULAR), "B": (folder / "bold.ttf", BOLD)}
    for file, content in files.values():
        font = TTFont(BytesIO(content), recalcTimestamp=False)
        # What a hinting tool noted for itself; nobody who writes a part of the font knows what to do with it.
        del font["TTFA"]
        font.save(file)
    return {style: file for style, (file, _) in files.items()}


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    return frozenset.intersection(*(frozenset(TTFont(BytesIO(font)).getBestCmap()) for font in (REGULAR, BOLD)))


def shown(text: str) -> str:
    """A text as the fonts can write it, on one line."""
    letters = _letters()
    plain = " ".join(text.replace("\u00a0", " ").split())
    return "".join(c if ord(c) in letters else "?" for c in plain)


def _part(sheet: _Sheet, part: Part) -> None:
    _heading(sheet, part.heading, level=1, size=13)
    for paragraph in part.paragraphs:
        _paragraph(sheet, paragraph)
    if part.facts:
        _facts(sheet, part.facts)
    if part.table is not None:
        _table(sheet, part.table)
    sheet.ln(2)


def _heading(sheet: _Sheet, words: str, *, level: int, size: int) -> None:
    sheet.set_font(FAMILY, style="B", size=size)
    sheet.set_text_color(*FOREST)
    if sheet.will_page_break(size):
        sheet.add_page()
    sheet.start_section(shown(words), level=level)
    sheet.multi_cell(0, size * 0.5, shown(words), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    sheet.ln(1)
    sheet.set_font(FAMILY, size=10)
    sheet.set_text_color(*INK)


def _paragraph(sheet: _Sheet, words: str) -> None:
    sheet.multi_cell(0, 5, shown(words), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    sheet.ln(1.5)


def _facts(sheet: _Sheet, facts: tuple[Fact, ...]) -> None:
    shares = (LABEL_SHARE, 1 - LABEL_SHARE)
    with sheet.table(
        col_widths=shares, first_row_as_headings=False, borders_layout=TableBordersLayout.NONE, line_height=5.5, align="L",
        text_align="LEFT",
    ) as table:  # fmt: skip
        for fact in facts:
            row = table.row()
            row.cell(shown(fact.label))
            row.cell(shown(fact.value), style=FontFace(emphasis=TextEmphasis.B))


def _table(sheet: _Sheet, table: Table) -> None:
    _paragraph(sheet, table.caption)
    sheet.set_font(FAMILY, size=8)
    aligned = tuple("RIGHT" if column in table.numeric else "LEFT" for column in range(len(table.headings)))
    with sheet.table(
        col_widths=_weights(table), text_align=aligned, line_height=4.2, padding=1, cell_fill_color=STRIPE,
        cell_fill_mode="ROWS", borders_layout=TableBordersLayout.HORIZONTAL_LINES, repeat_headings=1,
        headings_style=FontFace(emphasis=TextEmphasis.B, color=FOREST),
    ) as drawn:  # fmt: skip
        for cells in (table.headings, *table.rows):
            row = drawn.row()
            for cell in cells:
                row.cell(shown(cell))
    sheet.set_font(FAMILY, size=10)
    sheet.ln(2)


def _weights(table: Table) -> tuple[int, ...]:
    """Widths by what the columns hold, within bounds, so that a sentence gets more room than a figure."""
    columns = zip(table.headings, *table.rows, strict=True)
    return tuple(min(MOST_WEIGHT, max(LEAST_WEIGHT, max(len(cell) for cell in column))) for column in columns)
