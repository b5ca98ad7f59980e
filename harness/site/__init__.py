"""The published site: pages generated from results and records, beside asv's own.

Charts are HTML and SVG of a few kilobytes, computed here: the SVG of a chart library has fixed colours and
draws letters as shapes, so it cannot follow the reader's theme, font size, or a screen of 360 pixels.
"""
