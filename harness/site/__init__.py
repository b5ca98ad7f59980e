"""The published site: pages made from results and records, beside asv's own.

Charts are HTML and SVG of a few kilobytes, computed here: a chart library's SVG has fixed colours and its
letters as shapes, so that it cannot follow the reader's theme, font size, or a screen of 360 pixels.
"""
