"""How much is taken from a student's notebook or process, in one table.

What is handed in, and what comes from a process that runs it, may be made to keep everybody
waiting. So each count, size and time is bounded before anything is looked at, and honest work stays
far below each bound. What a process may use of the machine is in `sandbox.Limits`.
"""

from __future__ import annotations

import re

KIB, MIB = 1 << 10, 1 << 20

# ---------------------------------------------------------------- what is handed in

#: Files and folders of a submission, and folders in each other. What is more is no answer, and
#: what walks through folders recurses.
MOST_ENTRIES = 10_000
DEEPEST_FOLDER = 50

#: Bytes of the files beside a notebook that a worker is handed.
MOST_FILES = 200 * MIB

#: Bytes of a notebook. One that is larger holds something else than answers.
LARGEST_NOTEBOOK = 64 * MIB

#: Cells of a notebook, and numbers, texts and containers in it without its outputs.
MOST_CELLS = 2_000
MOST_NODES = 200_000

#: Bytes of the line that says when something was handed in.
LONGEST_TIME = 200

#: Characters of all its code: it is parsed more than once.
MOST_CODE = 2_000_000

#: Cells that are compared with the release's as code, in which a formatter may have been at work.
MOST_FORMATTED = 300

# ---------------------------------------------------------------- what comes from a process

#: Bytes of a message of the protocol, how deep a value may be nested, and how long a container or
#: text may be; the last one of what a process says of a cell: its outputs.
MAX_MESSAGE = 256 * MIB
MAX_DEPTH = 50
MAX_ITEMS = 5_000_000
MAX_PLAIN_ITEMS = 1_000_000

#: Values of one hash in a set or among the keys of a dictionary: each is compared with all others.
MAX_COLLISIONS = 1_000

#: Objects that the tests of a notebook may hold at a time.
MAX_HANDLES = 1_000_000

#: Characters that a cell may show as text, where it runs.
MAX_OUTPUT = MIB

#: Bytes of what a process says of one cell, and of what is kept of one notebook.
MAX_ANSWER = 16 * MIB
MAX_OUTPUTS = 24 * MIB

#: Characters that are kept of each output when the notebook has no room left.
SHORT_OUTPUT = 2_000

#: How often the student's process may be lost before the rest of the notebook is not run.
MOST_LOST = 8

# ---------------------------------------------------------------- what becomes a page

#: Seconds for one text, which takes milliseconds, and how many such times all of one page have.
TEXT_SECONDS = 5.0
PAGE_TEXTS = 4

#: What parsers of Markdown look for the other end of, each time to the end of the text, and how
#: many of them a text may have.
MARKS = "[](){}<>*_`$\\!~|"
MOST_MARKS = 20_000

#: Characters that may be copied for the colors of a text, and a color's code that is none.
MOST_COPIED = 2_000_000_000
LONG_CODE = re.compile(r"\x1b\[[^@-~\n]{200}")

#: Characters of a cell that is shown with colors.
LONGEST_COLORED = 100_000

#: Characters of a text that is rendered. Nothing that is meant to be read is longer.
LONGEST_TEXT = 200_000

#: Bytes of memory of the process that renders.
RENDERER_MEMORY = 1024 * MIB

#: Characters of a message in a report and at the head of a page.
LONGEST_MESSAGE = 2_000

# ---------------------------------------------------------------- what is compared and reported

#: Characters of a cell, code cells, and characters of all that are compared with those of others.
COMPARED_CHARACTERS = 50_000
COMPARED_CELLS = 500
COMPARED_TOGETHER = 1_000_000

#: Characters of a line, lines, and characters of a log.
LOG_LINE = 500
LOG_LINES = 2_000
LOG_CHARACTERS = 100_000
