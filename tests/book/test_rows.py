"""No page learns from rows in the order in which a data set stores them.

Digits that lie side by side were written by the same hand, and other sets are sorted by class:
whoever cuts such a set without shuffling it measures something else than they think.
"""

import ast
from pathlib import Path

import pytest

from course_lib.book.chapters import chapter_pages, read_chapter

ROOT = Path(__file__).parents[2]

#: So many rows may be shown, or looked at as one batch.
A_LOOK = 100

#: What comes out of these is in an order of its own.
_SHUFFLES = {
    "choice",
    "integers",
    "permutation",
    "permuted",
    "photographed",
    "randperm",
    "shuffle",
    "split",
    "split_rows",
    "train_test_split",
}


def stored_order(code: str) -> list[str]:
    """Return the expressions of a page that cut a loaded data set without shuffling it.

    Names that hold a loaded set are followed through assignments, from the first line to the last.
    Rows that are picked by an array of their numbers are in another order.
    """
    reader = _Reader()
    reader.visit(ast.parse(code))
    return reader.cuts


class _Reader(ast.NodeVisitor):
    """Follows the names that hold a loaded set in its own order."""

    def __init__(self) -> None:
        self.stored: set[str] = set()
        self.cuts: list[str] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outside = set(self.stored)
        self.stored -= {argument.arg for argument in (*node.args.args, *node.args.kwonlyargs)}
        self.generic_visit(node)
        self.stored = outside

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        names = {n.id for to in node.targets for n in ast.walk(to) if isinstance(n, ast.Name)}
        self.stored = self.stored | names if self.keeps(node.value) else self.stored - names

    def visit_Subscript(self, node: ast.Subscript) -> None:
        rows = _rows(node)
        if rows is not None and _is_a_part(rows) and self.keeps(node.value):
            self.cuts.append(ast.unparse(node))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if _is_numpy_split(node) and self.keeps(node.args[0]):
            self.cuts.append(ast.unparse(node))
        self.generic_visit(node)

    def keeps(self, value: ast.AST) -> bool:
        """Tell whether an expression has the rows of a loaded set, in their order."""
        match value:
            case ast.Name(id=name):
                return name in self.stored
            case ast.Subscript(value=inner):
                return _rows(value) is not None and self.keeps(inner)
            case ast.Attribute(value=inner, attr=attribute):
                return attribute not in ("shape", "size", "ndim") and self.keeps(inner)
            case ast.Tuple(elts=parts):
                return any(self.keeps(part) for part in parts)
            case ast.BinOp(left=left, right=right):
                return self.keeps(left) or self.keeps(right)
            case ast.Call(func=function):
                name = ast.unparse(function).rpartition(".")[2]
                if name in _SHUFFLES and not _is_numpy_split(value):
                    return False
                if name.startswith("load"):
                    return True
                # What an array's method or a function of NumPy or PyTorch makes of it.
                made = isinstance(function, ast.Attribute) and (
                    self.keeps(function.value)
                    or (
                        ast.unparse(function).startswith(("np.", "torch."))
                        and any(self.keeps(argument) for argument in value.args)
                    )
                )
                return made
        return False


def _rows(node: ast.Subscript) -> ast.Slice | None:
    """Return the slice of the rows, if the rows are picked by one."""
    first = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
    return first if isinstance(first, ast.Slice) else None


def _is_a_part(rows: ast.Slice) -> bool:
    """Tell whether a slice takes some of the rows, and more than a look."""
    if rows.lower is None and isinstance(rows.upper, ast.Constant):
        return rows.upper.value > A_LOOK
    return rows.step is None and (rows.lower is not None or rows.upper is not None)


def _is_numpy_split(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.split", "np.array_split")


@pytest.mark.parametrize("page", chapter_pages(ROOT), ids=lambda page: page.rsplit("/", 1)[-1])
def test_no_page_cuts_rows_that_it_has_not_shuffled(page):
    cells = [cell.source for cell in read_chapter(ROOT, page).cells if cell.cell_type == "code"]
    code = "\n".join(line for cell in cells for line in cell.splitlines() if line[:1] != "%")
    assert stored_order(code) == []


@pytest.mark.parametrize(
    ("code", "cuts"),
    [
        ("X, y = load_digits(return_X_y=True)\nfit(X[:1400], y[:1400])", ["X[:1400]", "y[:1400]"]),
        ("X, y = digits.load()\nZ = X / 16\ntrain = Z[:1000]", ["Z[:1000]"]),
        ("X, _ = digits.load()\ntest = X[1400:]", ["X[1400:]"]),
        ("X, _ = digits.load()\nhalf = X[:len(X) // 2, 3]", ["X[:len(X) // 2, 3]"]),
        ("X, _ = digits.load()\na, b = np.split(X, [1000])", ["np.split(X, [1000])"]),
        ("X, _ = digits.load()\nshow(X[:10])", []),
        ("X, y = digits.load()\nrows = rng.permutation(len(X))\nX = X[rows]\nt = X[rows[:9]]", []),
        ("X, y = digits.load()\ntrain, valid, test = split(X, y, seed=0)\nfit(train.X[:500])", []),
        ("X, y = digits.load()\nx = X[order] / 16\nfit(x[:500])", []),
        ("X, y = digits.load()\nX = X[order]\nfit(X[:500])", []),
        ("X, y = digits.load()\ndef part(X, n):\n    return X[:n]", []),
        ("X, y = digits.load()\ndef part(n):\n    return X[:n]", ["X[:n]"]),
        ("X, y = digits.load()\nx = torch.tensor(X).float()\nfit(x[:500])", ["x[:500]"]),
        ("X, y = made(1000)\nfit(X[:500])", []),
    ],
)
def test_what_is_found(code, cuts):
    assert stored_order(code) == cuts
