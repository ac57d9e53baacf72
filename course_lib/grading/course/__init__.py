"""The nbgrader course folder: its configuration, paths, gradebook's address, faults and secret."""
