"""WeasyPrint makes the letters of `benchmarks.letters` from HTML. Run by its own environment.

Arguments: how many, a file with the contents of the letters (what our template is given), and the
font's file. It keeps its fonts and its parsed style sheet between letters.
"""

import json
import sys
from html import escape
from pathlib import Path
from typing import Any

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from benchmarks.letters import WARM, measured

COUNT, FILE, FONT = sys.argv[1:]

STYLE = f"""
@font-face {{ font-family: Noto; src: url("{Path(FONT).as_uri()}"); font-weight: 100 900 }}
@page {{
  size: A4; margin: 27mm 20mm 22mm 25mm;
  @bottom-right {{ content: "Seite " counter(page) " von " counter(pages); font-size: 7.5pt }}
}}
body {{ font: 10pt/1.35 Noto; color: #1b1f24; margin: 0 }}
header {{ position: relative; height: 76mm }}
header > * {{ position: absolute; margin: 0 }}
.name {{ top: -13mm; left: 0; width: 92mm; font-size: 15pt; font-weight: 600; color: #1f4e79 }}
.lines {{ top: -12mm; left: 100mm; width: 65mm; font-size: 8.5pt; color: #5b6470 }}
.return {{
  top: 24mm; left: 0; width: 80mm; font-size: 6.5pt; color: #5b6470;
  border-bottom: 0.4pt solid #b9c2cc;
}}
.address {{ top: 36mm; left: 0; width: 80mm; height: 27mm; line-height: 1.2 }}
.reference {{ top: 23mm; left: 100mm; width: 65mm; font-size: 8.5pt; border-collapse: collapse }}
.reference th {{ font-weight: 400; color: #5b6470; text-align: left; padding: 0 4mm 0 0 }}
.reference td {{ padding: 0 }}
h1 {{ font-size: 12pt; margin: 0 0 1.4em }}
h2 {{ font-size: 10pt; margin: 0 0 0.6em }}
.costs {{ width: 100%; border-collapse: collapse }}
.costs thead th {{ font-size: 8pt; font-weight: 400; border-bottom: 0.8pt solid #1f4e79 }}
.costs th {{ text-align: left; font-weight: 400; padding: 1.35mm 0 }}
.costs td {{ text-align: right; padding: 1.35mm 0; font-variant-numeric: tabular-nums }}
.costs tbody tr {{ border-bottom: 0.4pt solid #b9c2cc }}
.costs .strong * {{ font-weight: 600 }}
.payment {{ background: #eef3f8; padding: 3.5mm 4.5mm; margin: 1em 0 1.2em; display: flex }}
.payment > div {{ flex: 1 }}
.payment figure {{ margin: 0; width: 30mm; text-align: center; font-size: 6.5pt }}
.small {{ font-size: 8pt; color: #5b6470 }}
.code {{ margin-top: 8mm; font-size: 7.5pt; border-top: 0.4pt solid #b9c2cc }}
"""


def drawing(it: dict[str, Any]) -> str:
    """An SVG in its true size."""
    size = f'width="{it["width"]}mm" height="{it["height"]}mm" role="img"'
    return str(it["svg"]).replace("<svg ", f'<svg {size} aria-label="{escape(it["alt"])}" ', 1)


def rows(pairs: list[list[str]]) -> str:
    """Table rows of a label and a value."""
    return "".join(f"<tr><th>{escape(a)}<td>{escape(b)}" for a, b in pairs)


def page(d: dict[str, Any]) -> str:
    """The letter's content as HTML."""
    costs = d["costs"]
    sums = "".join(
        f'<tr class="{"strong" if strong else ""}"><th>{escape(label)}<td>{escape(amount)}'
        for label, amount, strong in costs["sums"]
    )
    label, note, amount = costs["balance"]
    payment = d["payment"]
    paragraphs = "".join(f"<p>{escape(one)}</p>" for one in d["paragraphs"])
    return f"""<!doctype html><html lang="{d["lang"]}"><title>{escape(d["title"])}</title><body>
<header>
<p class="name">{escape(d["sender"]["name"])}</p>
<p class="lines">{"<br>".join(map(escape, d["sender"]["lines"]))}</p>
<p class="return">{d["code"]}<br>{escape(d["return_line"])}</p>
<p class="address">{"<br>".join(map(escape, d["address"]))}</p>
<table class="reference">{rows(d["reference"])}</table>
</header>
<h1>{escape(d["subject"])}</h1>
<p>{escape(d["greeting"])}</p>
<p>{escape(d["intro"])}</p>
<table class="costs">
<thead><tr><th>{escape(costs["label"])}<th style="text-align: right">{escape(costs["amount"])}
<tbody>{rows(costs["rows"])}{sums}
<tr class="strong"><th>{escape(label)}<br><span class="small">{escape(note)}</span>
<td>{escape(amount)}
</table>
<div class="payment">
<div><h2>{escape(payment["heading"])}</h2>{escape(payment["request"])}
<table class="reference" style="position: static">{rows(payment["rows"])}</table></div>
<figure>{drawing(payment["qr"])}<br>{escape(payment["scan"])}</figure>
</div>
{paragraphs}
<p>{escape(d["closing"])}</p>
<p><b>{escape(d["sender"]["name"])}</b></p>
<p class="small">{escape(d["unsigned"])}</p>
<p class="code">{drawing(d["matrix"])} {d["code"]}</p>
</body></html>"""


fonts = FontConfiguration()
style = CSS(string=STYLE, font_config=fonts)


def letter(content: dict[str, Any]) -> bytes:
    """One letter as PDF/A-3a, tagged."""
    made: bytes = HTML(string=page(content)).write_pdf(
        stylesheets=[style], font_config=fonts, pdf_variant="pdf/a-3a"
    )
    return made


contents = json.loads(Path(FILE).read_text(encoding="utf-8"))[: int(COUNT) + WARM]
Path(FILE).with_suffix(".pdf").write_bytes(letter(contents[0]))
measured(letter, contents)
