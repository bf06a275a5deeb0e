"""How far a study is."""

import json
from collections.abc import Iterator
from pathlib import Path

from ...alignment.checkpoints.about import ABOUT
from .findings import finished
from .plan import Plan, Subject, make_plan
from .spec import read_study


def status_of(folder: Path) -> Iterator[str]:
    """Yield what is finished, what is missing, what failed, and what was found.

    Args:
        folder: of a study.

    Raises:
        OSError: no study there.
    """
    if not (folder / "study.yaml").is_file():
        raise OSError(f"{folder}: no study there; `crosslingual study run` begins one")
    plan = make_plan(read_study(folder / "study.yaml"), folder)
    done = {subject.name for subject in finished(plan)}
    yield f"{plan.study.name}: {len(done)} of {len(plan.subjects)} checkpoints are finished"
    for subject in plan.subjects:
        if subject.name not in done:
            yield f"  {subject.name}: {_how_far(plan, subject)}"
    for path in sorted(folder.glob("failures*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            yield f"  failed: {row['checkpoint']}: {row['error']}"
    findings = folder / "findings.txt"
    if findings.is_file():
        yield from findings.read_text("utf-8").splitlines()


def _how_far(plan: Plan, subject: Subject) -> str:
    scored = plan.scored(subject)
    if scored:
        return f"scored on {', '.join(part.name for part in scored)}"
    if subject.recipe is None:
        return "not scored"
    made = Path(plan.encoder(subject), ABOUT).is_file()
    return "trained" if made else "not trained"
