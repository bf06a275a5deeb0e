"""A study to begin with."""

TEMPLATE = """\
# crosslingual study validate study.yaml; crosslingual study run study.yaml --out runs/my-study
name: my-study
question: Does English NLI training cost the small models more alignment than the large ones?

families:                     # FAMILY: SCALE: pretrained checkpoint (built in, folder or hub id)
  pocket:
    xs: {checkpoint: pocket-xs}
    s: {checkpoint: pocket-s}
    m: {checkpoint: pocket-m}

treatments:                   # what is done to every scale, once a seed
  nli:
    phases:                   # as in a recipe of `crosslingual train`
      - {name: intermediate, tasks: [{task: rte}], steps: 200, rate: 1e-4}
  english-mlm:
    control: true             # drawn next to the tasks: English text, no task
    phases:
      - {name: intermediate, tasks: [{task: rte}], control: english-mlm, steps: 200, rate: 1e-4}
  # published:                # or checkpoints that are there: FAMILY/SCALE, one a seed
  #   checkpoints: {pocket/xs: [./seed0, ./seed1, ./seed2]}
against: english-mlm          # a task's effect is what it does beyond this one
seeds: [0, 1, 2]              # three are needed to speak of a recipe, not of a checkpoint

test:                         # what is reported on
  - {corpus: tatoeba, languages: "de,fr,ru,zh,ar,tr,fi,sw"}
dev: {corpus: ntrex, languages: "de,fr,ru,zh,ar,tr,fi,sw"}   # what the best layers are chosen on
score: {measures: "accuracy,debiased_linear_cka", pooling: mean}   # flags of `crosslingual score`

margin: 0.05                  # the greatest loss that counts as retained, in units of the measure
primary: {corpus: tatoeba, measure: accuracy, direction: mean}   # what the claims are of

# expected:                   # published figures, held against the study's own
#   - source: where they are published
#     checkpoint: pocket/xs
#     corpus: tatoeba
#     layer: any              # or a number
#     tolerance: 0.005
#     values: {de: 0.49}      # or mean: 0.31 with languages: "de,fr"
"""
