"""For every run of pytest here, nbval's of the notebooks included."""

import os

# Sums come out otherwise, in their last digits, with other numbers of threads: pages are built with
# one, and their outputs are compared. Kernels are given what is set here.
os.environ.setdefault("OMP_NUM_THREADS", "1")
