"""Work side by side: what one thread would give, in its order, without running ahead."""

import threading
import time

import pandas as pd
import pytest
import torch
from threadpoolctl import threadpool_info

from crosslingual.alignment.runs.threads import in_order, jobs_for
from crosslingual.alignment.scoring import schedule as cells
from tests.verbs import score


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_come_in_order(jobs):
    def piece(i):
        time.sleep(0.002 * (i % 3))
        return i * i

    assert list(in_order((lambda i=i: piece(i) for i in range(20)), jobs)) == [i * i for i in range(20)]


def test_no_more_than_twice_the_jobs_are_taken_ahead():
    taken = []

    def work():
        for i in range(20):
            taken.append(i)
            yield lambda i=i: i

    results = in_order(work(), 2)
    assert next(results) == 0
    assert len(taken) <= 4
    results.close()
    assert len(taken) <= 4


def test_they_run_at_the_same_time():
    meeting = threading.Barrier(2, timeout=20)
    assert len(list(in_order([meeting.wait, meeting.wait], 2))) == 2


def test_an_error_ends_it_and_threads_are_as_before():
    torch_before, blas_before = torch.get_num_threads(), blas_threads()

    def fail():
        raise ValueError("planted")

    begun = []
    work = [fail, *(lambda i=i: begun.append(i) or time.sleep(0.05) for i in range(50))]
    with pytest.raises(ValueError, match="planted"):
        list(in_order(work, 2))
    assert len(begun) < 5
    assert torch.get_num_threads() == torch_before
    assert blas_threads() == blas_before


def test_fewer_at_once_where_matrices_are_large(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    assert jobs_for(0, 640) == jobs_for(10, 640) == 64
    assert jobs_for(10, 635) == 63
    assert jobs_for(11, 10) == 1


def test_scores_do_not_depend_on_the_number_of_jobs(tiny_bert, tmp_path, monkeypatch):
    options = {"languages": "de,sw,zh", "store": tmp_path / "s"}
    tables = []
    for jobs in (1, 3):
        monkeypatch.setattr(cells, "jobs_for", lambda size, memory, jobs=jobs: jobs)
        tables.append(score(tiny_bert, "pocket", **options))
    # a product in float32 is summed in another order by another number of threads, and RSA ranks it:
    # two similarities that agree to 1e-7 may change places
    pd.testing.assert_frame_equal(*tables, rtol=1e-6, atol=1e-7)
