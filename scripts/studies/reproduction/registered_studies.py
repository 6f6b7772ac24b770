"""The sweeps and correlation studies that the parts read."""

from studies.reproduction.parts import PROTOCOL, REFERENCE, Correlation, Sweep, without

MEMBERS = 5
"""Members of a committee, in the study's range of 3 to 10; its best result was BALD with five."""

COMMITTEE = tuple(
    f"{name}:members={MEMBERS}"
    for name in ("committee_least_confidence", "committee_margin", "committee_entropy", "bald")
)
BALD = COMMITTEE[-1]
DOUBT = ("least_confidence", "margin", "entropy")
BLOCKS = ("plain", "residual", "highway")
FUSIONS = ("concat", "sum", "gated", "attention", "matrix", "early")
ENCODERS = ("mlp", "linear", "none")
RULES = ("published", "fixed", "even", "upsample")
WEIGHTS = "{fused: 1, image: 0.5, text: 0.5}"

HEADS = Sweep("heads", (REFERENCE,), 10, 200, 1, vary={"model.heads": ("all", "one")})
LOSSES = Sweep(
    "losses", (REFERENCE,), 10, 200, 1, vary={"training.loss": ("learned_noise", "sum")}
)
FIXED_WEIGHTS = Sweep(
    "fixed-weights",
    (REFERENCE,),
    *(10, 200, 1),
    settings={**PROTOCOL, "training.loss": "fixed", "training.loss_weights": WEIGHTS},
)
NETWORKS = Sweep(
    "networks",
    (REFERENCE,),
    *(0, 20, 1),
    vary={"model.block": BLOCKS, "model.fusion": FUSIONS},
)
ENCODED = Sweep("encoders", (REFERENCE,), 0, 20, 1, vary={"model.encoder": ENCODERS})
BATCHES = Sweep(
    "batches",
    (REFERENCE, "margin"),
    *(60, 20, 1),
    settings=without(PROTOCOL, "training.batch_rule"),
    vary={"training.batch_rule": RULES},
)
UNCERTAINTY = Sweep("uncertainty", (REFERENCE, *DOUBT), 100)
USUAL = Sweep("uncertainty-defaults", (REFERENCE, *DOUBT), 100, settings={})
COMMITTEES = Sweep("committee", (REFERENCE, "margin", *COMMITTEE), 100)
FROZEN = Sweep(
    "frozen", (REFERENCE, "margin", BALD), 100, vary={"training.batch_norm": ("live", "frozen")}
)
LEARNING_LOSS = Sweep("learning-loss", (REFERENCE, "learning_loss"), 100)
IDEAL = Sweep("ideal", (REFERENCE, "ideal_loss", "reverse_ideal_loss"), 100)
DIGITS = Sweep(
    "digits",
    (REFERENCE, *DOUBT, "ideal_loss", "reverse_ideal_loss"),
    *(30, 20, 5),
    settings={"split.validation": "0.02"},
)
LONG = Sweep("long", (REFERENCE, "margin", BALD), None, 1_000, 1, seconds=0.45)
MODES = Sweep(
    "modes",
    (REFERENCE, *DOUBT, BALD),
    *(12, 100, 3),
    vary={"training.mode": ("finetune", "scratch")},
    seconds=1.2,
)

_DOSES = ("--scores", "loss,margin", "--epochs", "1,2,5,10", "--group-size", "100")
_PUBLISHED = tuple(word for item in PROTOCOL.items() for word in ("--set", "=".join(item)))
SOUND = Correlation(
    "sound",
    (*_DOSES, *_PUBLISHED, *("--sample", "4000", "--bases", "4", "--fine-tune-seeds", "2")),
    minutes=11,
)
ORIGINAL = Correlation(
    "original",
    (
        *("--compat", "original", "--scores", "loss,margin", "--group-size", "100"),
        *_PUBLISHED,
        *("--sample", "4000", "--bases", "4"),
    ),
    minutes=4,
)
OF_DIGITS = ("--test", "1000", "--initial", "500", "--sample", "2000", "--bases", "3")
SOUND_DIGITS = Correlation("sound", (*_DOSES, *OF_DIGITS, "--fine-tune-seeds", "2"), minutes=25)
ORIGINAL_DIGITS = Correlation(
    "original",
    ("--compat", "original", "--scores", "loss,margin", "--group-size", "100", *OF_DIGITS),
    minutes=8,
)
