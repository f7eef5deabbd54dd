"""The mail that `bench send` sends: 2 KB of HTML and a PDF of 50 KB."""

import random

SUBJECT = "Your statement for 2025"
TEXT = "Your statement for 2025 is attached.\n"
HTML = "<html><body>" + "<p>Heating, water, caretaker: 123.45 EUR</p>" * 44 + "</body></html>"
PDF = b"%PDF-1.7\n" + random.Random(1).randbytes(50 * 1024)
