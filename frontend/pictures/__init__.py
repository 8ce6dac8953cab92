"""Pictures of charts for papers and slides: SVG from the browser, as PDF or PNG if asked for.

The browser makes the SVG (`js/`), at its size on paper. The server converts it with typst, in a
process of its own.
"""
