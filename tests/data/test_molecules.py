"""The made molecules: graphs that make sense, the file that RDKit would make, splits, counts."""

import doctest
from collections import Counter

import numpy as np
import pytest

from course_lib.data import molecules

EVERYTHING = molecules.load()
VALENCE = {"C": 4, "N": 3, "O": 2, "F": 1, "S": 2, "Cl": 1}


def test_the_examples_in_the_docstrings():
    result = doctest.testmod(molecules)
    assert result.attempted and not result.failed


def test_there_are_as_many_as_the_card_says():
    assert len(EVERYTHING) == 840 and len({one.smiles for one in EVERYTHING}) == 840
    series = Counter(one.scaffold for one in EVERYTHING)
    assert len(series) == 60 and set(series.values()) == {14} and series[""] == 14
    assert max(len(one.symbols) for one in EVERYTHING) == 20
    assert {symbol for one in EVERYTHING for symbol in one.symbols} == set(molecules.ELEMENTS)


@pytest.mark.parametrize("one", EVERYTHING[::7], ids=lambda one: one.smiles)
def test_atoms_have_the_bonds_that_chemistry_gives_them(one):
    n = len(one.symbols)
    assert one.hydrogens.shape == (n,) and one.orders.shape == one.bonds.shape[:1]
    assert np.all(one.bonds[:, 0] < one.bonds[:, 1]) and one.bonds.max() < n
    assert len(np.unique(one.bonds, axis=0)) == len(one.bonds)
    used = one.hydrogens + np.bincount(one.bonds.ravel(), np.repeat(one.orders, 2), minlength=n)
    for symbol, k in zip(one.symbols, used, strict=True):
        # In an aromatic ring, 1.5 stands for what is shared among all of its bonds.
        assert abs(k - VALENCE[symbol]) <= 1 if 1.5 in one.orders else k == VALENCE[symbol]
    reached = {0}
    for _ in range(n):
        reached |= {b for a, b in one.bonds.tolist() if a in reached}
        reached |= {a for a, b in one.bonds.tolist() if b in reached}
    assert len(reached) == n, "a molecule is in one piece"


def test_the_file_is_what_rdkit_makes():
    pytest.importorskip("rdkit", reason="RDKit is not installed; the file is used without it")
    made = molecules.make()
    assert len(made) == len(EVERYTHING)
    for ours, theirs in zip(EVERYTHING, made, strict=True):
        assert ours[:3] == theirs[:3]
        assert all(np.array_equal(a, b) for a, b in zip(ours[3:6], theirs[3:6], strict=True))
        assert ours.logp == pytest.approx(theirs.logp, abs=1e-3)


def test_smiles_are_read_however_they_are_written():
    pytest.importorskip("rdkit", reason="RDKit is not installed; the file is used without it")
    first, other = molecules.from_smiles("OCC"), molecules.from_smiles("C(C)O")
    assert first.smiles == other.smiles == "CCO" and first.symbols == ("C", "C", "O")
    assert first.bonds.tolist() == [[0, 1], [1, 2]] and first.hydrogens.tolist() == [3, 2, 1]
    assert molecules.from_smiles("C").bonds.shape == (0, 2)
    with pytest.raises(ValueError, match="cannot read 'C1CC' as SMILES"):
        molecules.from_smiles("C1CC")


def test_atoms_are_described_by_element_and_hydrogens():
    x = molecules.features(EVERYTHING[0])
    assert x.shape == (len(EVERYTHING[0].symbols), 7)
    assert np.all(x[:, :6].sum(axis=1) == 1)
    assert np.array_equal(x[:, 6], EVERYTHING[0].hydrogens)
    strange = EVERYTHING[0]._replace(symbols=("P", *EVERYTHING[0].symbols[1:]))
    with pytest.raises(ValueError, match="has P, but the columns are for C, N"):
        molecules.features(strange)


def test_environments_do_not_depend_on_the_order_of_atoms():
    rng = np.random.default_rng(0)
    for one in EVERYTHING[::40]:
        order = rng.permutation(len(one.symbols))
        moved = one._replace(
            symbols=tuple(one.symbols[k] for k in order),
            hydrogens=one.hydrogens[order],
            bonds=np.argsort(order)[one.bonds],
        )
        assert molecules.environments(moved, 2) == molecules.environments(one, 2)
        assert sum(molecules.environments(one, 2).values()) == 3 * len(one.symbols)


def test_environments_see_bonds_away():
    # CH3-CH2-O and CH3-CH2-N: the first carbon differs only after two rounds.
    ethanol = EVERYTHING[0]._replace(
        symbols=("C", "C", "O"),
        hydrogens=np.array([3, 2, 1]),
        bonds=np.array([[0, 1], [1, 2]]),
        orders=np.ones(2),
    )
    amine = ethanol._replace(symbols=("C", "C", "N"), hydrogens=np.array([3, 2, 2]))
    one_round = molecules.environments(ethanol, 1) & molecules.environments(amine, 1)
    assert set(one_round) == {"CH3", "CH2", "CH3(1CH2)"}
    assert molecules.environments(ethanol, 2) & molecules.environments(amine, 2) == one_round


@pytest.mark.parametrize("seed", range(5))
def test_no_scaffold_is_on_two_sides(seed):
    scaffolds = np.array([one.scaffold for one in EVERYTHING])
    parts = molecules.scaffold_rows(scaffolds, seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(840))
    for a in range(3):
        for b in range(a):
            assert not set(scaffolds[parts[a]]) & set(scaffolds[parts[b]])
    assert 168 <= len(parts.test) < 182 and 168 <= len(parts.validation) < 182
    again = molecules.scaffold_rows(scaffolds, seed)
    assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))


def test_two_scaffolds_are_too_few():
    with pytest.raises(ValueError, match="2 scaffolds do not suffice"):
        molecules.scaffold_rows(["a", "b"], 0)
