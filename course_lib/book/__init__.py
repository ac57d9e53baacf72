"""Building the book: its chapters, its site, and what its pages can do."""

#: The builders whose pages cannot be clicked: the EPUB, and the page that becomes the PDF.
STILL_BUILDERS = ("epub", "singlehtml")
