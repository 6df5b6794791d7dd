"""Reads a table by RFC 4180: UTF-8, CRLF, the same number of cells in each row, no cell that opens as a formula."""

import csv
import sys

with open(sys.argv[1], encoding="utf-8", newline="") as file:
    text = file.read()
if "\n" in text.replace("\r\n", ""):
    sys.exit("a row does not end in CRLF")
rows = list(csv.reader(text.splitlines(), strict=True))
header = rows[0]
if len(rows) < 2 or any(len(row) != len(header) for row in rows):
    sys.exit("rows differ in length")
if any(cell.lstrip().startswith(("=", "+", "-", "@")) for row in rows for cell in row):
    sys.exit("a cell opens as a formula")
