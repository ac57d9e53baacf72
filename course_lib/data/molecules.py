"""Made molecules as graphs: 840 small ones, with a solubility that was computed and not measured.

Chemists write a molecule as a line of text, SMILES: ``CCO`` is ethanol, two carbons and an oxygen
in a chain, with hydrogens understood. Here 60 frames (rings, pairs of rings, a chain) carry two
groups each in 14 of many combinations, as a series of candidates for a drug does. `load` returns
them as graphs: atoms, how many hydrogens each has, and bonds. `logp` is how much rather a molecule
dissolves in fat (octanol) than in water, the logarithm to base 10 of a ratio of concentrations,
as the table of Wildman and Crippen predicts it from the kinds of its atoms.

The molecules were enumerated by this module (``python -m course_lib.data.molecules`` makes the file
again) and read by RDKit (BSD license), which also computed `logp`. License: CC BY 4.0, as the text
of this course. Where RDKit is installed, `from_smiles` reads other molecules; `load` needs the
bundled file alone.

Known faults: `logp` is itself the output of a model that adds up the atoms, so a network that
predicts it well has learned a table and no chemistry; nobody knows which of these molecules can be
made; no charges, no stereochemistry, no phosphorus; at most 19 atoms besides hydrogen. Not for
saying how well a network predicts a measured property, nor anything about a drug.

References
----------
S. A. Wildman and G. M. Crippen, "Prediction of physicochemical parameters by atomic contributions",
Journal of Chemical Information and Computer Sciences 39, 1999, doi:10.1021/ci990307l.

G. W. Bemis and M. A. Murcko, "The properties of known drugs. 1. Molecular frameworks", Journal of
Medicinal Chemistry 39, 1996, doi:10.1021/jm9602928.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from course_lib.data.splits import Rows

__all__ = [
    "ELEMENTS",
    "Molecule",
    "environments",
    "features",
    "from_smiles",
    "load",
    "make",
    "scaffold_rows",
]

#: The elements that occur, in the order of the columns of `features`.
ELEMENTS: Final = ("C", "N", "O", "F", "S", "Cl")

#: Where `load` looks: the file that `make` writes.
FILE: Final = "molecules.json"

# Two groups go where {a} and {b} stand. [H] leaves the place empty.
_FRAMES: Final = (
    "C({a})CC({b})C", "C1CC({a})C1({b})", "C1CC({a})CC1({b})", "C1CC({a})CCC1({b})",
    "C1CC({a})CCCC1({b})", "C1=CC({a})CCC1({b})", "O=C1CC({a})CCC1({b})", "N1CC({a})CC1({b})",
    "N1CC({a})CCC1({b})", "N1CC({a})NCC1({b})", "N1CC({a})OCC1({b})", "O=C1CC({a})C({b})N1",
    "O=C1CC({a})C({b})O1", "O1CC({a})CC1({b})", "O1CC({a})CCC1({b})", "S1CC({a})CCC1({b})",
    "c1cc({a})ccc1({b})", "n1cc({a})ccc1({b})", "n1cc({a})cnc1({b})", "n1cc({a})ncc1({b})",
    "n1nc({a})ccc1({b})", "O=c1cc({a})cc({b})[nH]1", "s1cc({a})cc1({b})", "o1cc({a})cc1({b})",
    "[nH]1cc({a})cc1({b})", "[nH]1c({a})ncc1({b})", "[nH]1nc({a})cc1({b})",
    "s1c({a})ncc1({b})", "o1c({a})ncc1({b})", "o1nc({a})cc1({b})", "c1cc({a})c2cc({b})ccc2c1",
    "n1cc({a})cc2cc({b})ccc12", "c1c({a})ncc2cc({b})ccc12", "n1c({a})ncc2cc({b})ccc12",
    "[nH]1cc({a})c2cc({b})ccc12", "[nH]1c({a})nc2cc({b})ccc12", "o1cc({a})c2cc({b})ccc12",
    "s1cc({a})c2cc({b})ccc12", "s1c({a})nc2cc({b})ccc12", "o1c({a})nc2cc({b})ccc12",
    "C1CC({a})c2cc({b})ccc2C1", "C1CC({a})c2cc({b})ccc12", "N1CC({a})c2cc({b})ccc2C1",
    "O1CC({a})Cc2cc({b})ccc12", "C1CC({a})CC2CC({b})CCC12", "c1cc({a})ccc1-c1ccc({b})cc1",
    "n1cc({a})ccc1-c1ccc({b})cc1", "s1cc({a})cc1-c1ccc({b})cc1", "o1c({a})ncc1-c1ccc({b})cc1",
    "c1cc({a})ccc1C1CCC({b})CC1", "c1cc({a})ccc1N1CCC({b})CC1", "c1cc({a})ccc1N1CC({b})OCC1",
    "c1cc({a})ccc1Oc1ccc({b})cc1", "c1cc({a})ccc1Sc1ccc({b})cc1",
    "c1cc({a})ccc1Nc1ccc({b})cc1", "c1cc({a})ccc1Cc1ccc({b})cc1",
    "c1cc({a})ccc1CN1CCC({b})C1", "c1cc({a})ccc1NC(=O)c1ccc({b})cc1",
    "c1cc({a})ccc1C(=O)N1CC({b})CC1", "n1cc({a})ccc1OC1CCC({b})CC1",
)  # fmt: skip
_GROUPS: Final = (
    "[H]", "C", "CC", "O", "OC", "N", "NC", "F", "Cl", "C#N", "C(=O)O", "C(N)=O", "CO", "SC",
)  # fmt: skip
_EACH: Final = 14


class Molecule(NamedTuple):
    """A molecule as a graph. Hydrogens are counted, not drawn.

    Attributes
    ----------
    smiles : str
        How chemists write it, the one way of many that RDKit chooses.
    scaffold : str
        What is left without its groups, as SMILES: rings and what joins them. Empty for a chain.
    symbols : tuple of str
        The element of each of the n atoms.
    hydrogens : ndarray of int, shape (n,)
        How many hydrogens each holds.
    bonds : ndarray of int, shape (m, 2)
        The two atoms of each bond, the smaller number first. Each bond stands once.
    orders : ndarray of float, shape (m,)
        1, 2 or 3; 1.5 in an aromatic ring.
    logp : float
        Computed, see the module.
    """

    smiles: str
    scaffold: str
    symbols: tuple[str, ...]
    hydrogens: NDArray[np.int64]
    bonds: NDArray[np.int64]
    orders: NDArray[np.float64]
    logp: float


@cache
def _read() -> tuple[dict[str, Any], ...]:
    text = (files("course_lib.data") / FILE).read_text(encoding="utf-8")
    return tuple(json.loads(text)["molecules"])


def load() -> list[Molecule]:
    """Load the bundled molecules, frame by frame.

    Returns
    -------
    list of Molecule

    Examples
    --------
    >>> molecules = load()
    >>> len(molecules), molecules[1].smiles, molecules[1].symbols
    (840, 'CC(C)CCN', ('C', 'C', 'C', 'C', 'C', 'N'))
    """
    return [
        Molecule(
            row["smiles"],
            row["scaffold"],
            tuple(row["atoms"].split()),
            np.array(row["hydrogens"], dtype=np.int64),
            np.array(row["bonds"], dtype=np.int64).reshape(-1, 2),
            np.array(row["orders"], dtype=float),
            float(row["logp"]),
        )
        for row in _read()
    ]


def features(molecule: Molecule) -> NDArray[np.float64]:
    """Describe each atom by itself: which element it is and how many hydrogens it holds.

    Parameters
    ----------
    molecule : Molecule

    Returns
    -------
    ndarray, shape (n, 7)
        A one in the column of the element (`ELEMENTS`), then the number of hydrogens.

    Raises
    ------
    ValueError
        If an element is not one of `ELEMENTS`.
    """
    unknown = sorted(set(molecule.symbols) - set(ELEMENTS))
    if unknown:
        raise ValueError(
            f"{molecule.smiles} has {', '.join(unknown)}, but the columns are for "
            f"{', '.join(ELEMENTS)}."
        )
    kinds = [ELEMENTS.index(symbol) for symbol in molecule.symbols]
    return np.column_stack([np.eye(len(ELEMENTS))[kinds], molecule.hydrogens])


def environments(molecule: Molecule, radius: int) -> Counter[str]:
    """Count the kinds of neighborhoods, the idea of the circular fingerprints of chemistry.

    Each atom begins as its element and hydrogens. In each round, its name becomes its own and the
    sorted names of its neighbors with their bonds: after r rounds, equal names mean equal
    surroundings up to r bonds away. (Nearly: the names are those of Weisfeiler and Lehman's test,
    which cannot tell some rings apart.) Names of all rounds are counted.

    Parameters
    ----------
    molecule : Molecule
    radius : int
        How many rounds. With 0, atoms are counted.

    Returns
    -------
    Counter

    References
    ----------
    D. Rogers and M. Hahn, "Extended-connectivity fingerprints", Journal of Chemical Information and
    Modeling 50, 2010, doi:10.1021/ci100050t.

    Examples
    --------
    >>> ethanol = load()[0]._replace(
    ...     symbols=("C", "C", "O"), hydrogens=np.array([3, 2, 1]),
    ...     bonds=np.array([[0, 1], [1, 2]]), orders=np.ones(2))
    >>> sorted(environments(ethanol, 0))
    ['CH2', 'CH3', 'OH1']
    >>> sorted(environments(ethanol, 1) - environments(ethanol, 0))
    ['CH2(1CH3,1OH1)', 'CH3(1CH2)', 'OH1(1CH2)']
    """
    names = [f"{s}H{h}" for s, h in zip(molecule.symbols, molecule.hydrogens, strict=True)]
    counts = Counter(names)
    for _ in range(radius):
        around: list[list[str]] = [[] for _ in names]
        for (i, j), order in zip(molecule.bonds.tolist(), molecule.orders.tolist(), strict=True):
            around[i].append(f"{order:g}{names[j]}")
            around[j].append(f"{order:g}{names[i]}")
        names = [
            f"{name}({','.join(sorted(near))})" for name, near in zip(names, around, strict=True)
        ]
        counts.update(names)
    return counts


def scaffold_rows(
    scaffolds: Sequence[str], seed: int, *, validation: float = 0.2, test: float = 0.2
) -> Rows:
    """Split rows so that no scaffold stands in two parts.

    Whole scaffolds are dealt out in random order: to the test part until it has its share of the
    rows, then to validation, and what remains is for training.

    Parameters
    ----------
    scaffolds : sequence of str
        The scaffold of each row.
    seed : int
        The same seed gives the same split.
    validation, test : float
        The least share of rows for these parts.

    Returns
    -------
    Rows
        As `splits.split_rows` returns them: row numbers, shuffled within each part.

    Raises
    ------
    ValueError
        If nothing would be left for training.

    Examples
    --------
    >>> parts = scaffold_rows(["a", "a", "b", "b", "c", "c"], seed=0, validation=0.3, test=0.3)
    >>> [len(part) for part in parts]
    [2, 2, 2]
    """
    names = np.asarray(scaffolds)
    rng = np.random.default_rng(seed)
    wanted = [test * len(names), validation * len(names)]
    parts: list[list[int]] = [[], [], []]
    for scaffold in rng.permutation(np.unique(names)):
        place = next((k for k in (0, 1) if len(parts[k]) < wanted[k]), 2)
        parts[place].extend(np.flatnonzero(names == scaffold).tolist())
    if not parts[2]:
        raise ValueError(
            f"{len(np.unique(names))} scaffolds do not suffice for three parts, of which the test "
            f"takes {test:.0%} and validation {validation:.0%} of {len(names)} rows."
        )
    for_test, for_validation, for_training = (rng.permutation(np.array(part)) for part in parts)
    return Rows(for_training, for_validation, for_test)


def from_smiles(smiles: str) -> Molecule:
    """Read a molecule from SMILES with RDKit.

    Parameters
    ----------
    smiles : str

    Returns
    -------
    Molecule
        With `logp` and `scaffold` as RDKit computes them.

    Raises
    ------
    ModuleNotFoundError
        If RDKit is not installed (``pip install rdkit``).
    ValueError
        If RDKit cannot read it.
    """
    # RDKit is large, and only who reads new molecules needs it.
    from rdkit import Chem, RDLogger
    from rdkit.Chem import Crippen
    from rdkit.Chem.Scaffolds import MurckoScaffold

    RDLogger.DisableLog("rdApp.error")
    read = Chem.MolFromSmiles(smiles)
    RDLogger.EnableLog("rdApp.error")
    if read is None:
        raise ValueError(f"RDKit cannot read {smiles!r} as SMILES.")
    # Read what it writes: then the numbers of the atoms do not depend on how it was written.
    canonical = Chem.MolToSmiles(read)
    read = Chem.MolFromSmiles(canonical)
    bonds = sorted(
        (*sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())), bond.GetBondTypeAsDouble())
        for bond in read.GetBonds()
    )
    return Molecule(
        canonical,
        MurckoScaffold.MurckoScaffoldSmiles(mol=read),
        tuple(atom.GetSymbol() for atom in read.GetAtoms()),
        np.array([atom.GetTotalNumHs() for atom in read.GetAtoms()], dtype=np.int64),
        np.array([bond[:2] for bond in bonds], dtype=np.int64).reshape(-1, 2),
        np.array([bond[2] for bond in bonds], dtype=float),
        round(float(Crippen.MolLogP(read)), 4),
    )


def make() -> list[Molecule]:
    """Enumerate the molecules with RDKit, as they stand in the file.

    Returns
    -------
    list of Molecule
        For each frame 14 different ones, chosen with a fixed seed.
    """
    rng = np.random.default_rng(0)
    seen: set[str] = set()
    made = []
    for frame in _FRAMES:
        pairs = list(product(_GROUPS, repeat=2))
        kept = 0
        for k in rng.permutation(len(pairs)):
            molecule = from_smiles(frame.format(a=pairs[k][0], b=pairs[k][1]))
            if molecule.smiles not in seen and kept < _EACH:
                seen.add(molecule.smiles)
                made.append(molecule)
                kept += 1
    return made


def _write(path: Path) -> None:
    """Write the file: a molecule a line."""
    lines = [
        json.dumps(
            {
                "smiles": one.smiles,
                "scaffold": one.scaffold,
                "atoms": " ".join(one.symbols),
                "hydrogens": one.hydrogens.tolist(),
                "bonds": one.bonds.ravel().tolist(),
                "orders": one.orders.tolist(),
                "logp": one.logp,
            },
            separators=(",", ":"),
        )
        for one in make()
    ]
    head = '{"license": "CC BY 4.0, made by course_lib.data.molecules", "molecules": [\n'
    path.write_text(head + ",\n".join(lines) + "\n]}\n", encoding="utf-8")


if __name__ == "__main__":
    _write(Path(__file__).parent / FILE)
