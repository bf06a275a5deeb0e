"""Views: leading components without the others, and views kept from one bitext to the next."""

import numpy as np

from crosslingual.alignment.similarity.view import KeptViews, View


def test_leading_components_are_those_of_the_svd(rng):
    x = rng.normal(size=(300, 40)) * 2.0 ** -np.arange(40) + 5
    quick, whole = View(x).leading(8), View(x).basis.leading(8)
    assert np.allclose(quick.s, whole.s, rtol=1e-9)
    assert np.allclose(np.abs((quick.u * whole.u).sum(axis=0)), 1, atol=1e-9)
    assert np.allclose(quick.u * quick.s @ quick.vt, whole.u * whole.s @ whole.vt, atol=1e-9)


def test_leading_components_that_are_noise_are_left_to_the_svd(rng):
    x = rng.normal(size=(300, 3)) @ rng.normal(size=(3, 40))
    assert View(x).leading(8).rank == 3


def test_kept_views_are_shared_by_value(rng):
    x, y = rng.normal(size=(2, 20, 4))
    kept = KeptViews(10**6)
    assert kept.view(x, "x") is kept.view(x.copy(), "x")
    assert kept.view(y, "y") is not kept.view(x, "x")
    assert kept.view(x.astype(np.float32), "x") is not kept.view(x, "x")
    assert kept.view(x, "x") in kept
    without_room = KeptViews(100)
    assert without_room.view(x, "x") not in without_room
    assert without_room.view(x, "x") is not without_room.view(x, "x")


def test_what_is_released_is_made_again(rng):
    view = View(rng.normal(size=(20, 4)))
    gram, basis = view.gram, view.basis
    made = view.once("twice", lambda view: 2 * view.gram)
    view.release()
    assert view.gram is not gram and np.array_equal(view.gram, gram)
    assert view.once("twice", lambda view: 2 * view.gram) is not made
    assert view.basis is basis  # no n × n matrix
