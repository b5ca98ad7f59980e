"""The published site: pages made of what is recorded, beside asv's own.

Charts are set here, as HTML and SVG of a few kilobytes: a chart library's SVG carries its colours and letters
as shapes, so that one picture cannot follow the reader's dark mode, font size, or a screen of 360 pixels.
"""
