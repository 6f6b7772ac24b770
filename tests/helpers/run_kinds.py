"""Settings of runs of many kinds: what may differ between a run and the same one resumed."""

from collections.abc import Mapping
from typing import Any

KINDS: Mapping[str, Mapping[str, Any]] = {
    "margin": {"strategies": ["margin"]},
    "scratch": {
        "strategies": ["random"],
        "training": {"mode": "scratch", "passive_epochs": 2},
    },
    "scratch-from-labels": {
        "strategies": ["random"],
        "training": {"mode": "scratch", "passive_epochs": 2, "stopping": "from_labels"},
    },
    "frozen": {
        "strategies": ["margin"],
        "training": {"batch_norm": "frozen", "passive_epochs": 2},
    },
    "learning-loss": {"strategies": ["learning_loss"]},
    "crowd": {"strategies": ["class_balanced"], "crowd": {"skips": 0.3, "rate": 0.4}},
    "one-coin": {
        "strategies": ["learning_loss"],
        "crowd": {"aggregate": "one_coin", "errors": "uniform", "answers": 2},
        "training": {"mode": "scratch", "passive_epochs": 2},
    },
    "joint": {
        "strategies": ["margin"],
        "crowd": {"aggregate": "joint", "rate": 0.4},
        "training": {"mode": "scratch", "passive_epochs": 2},
    },
    "asked-forest": {
        "strategies": ["margin"],
        "crowd": {"aggregate": "majority"},
        "model": {"name": "sklearn:sklearn.naive_bayes.GaussianNB"},
        "training": {},
    },
    "asked-again": {
        "strategies": ["margin"],
        "crowd": {"relabel": "disagreement", "answers": 5, "rate": 0.5, "aggregate": "none"},
    },
    "best": {"strategies": ["margin"], "crowd": {"assign": "best", "rate": 0.4, "skips": 0.2}},
    "best-again": {
        "strategies": ["margin"],
        "crowd": {"assign": "best", "aggregate": "dawid_skene", "relabel": "active_lab"},
    },
    "active-lab": {
        "strategies": ["random"],
        "crowd": {
            "relabel": "active_lab",
            "aggregate": "joint",
            "assign": "best",
            "rate": 0.6,
            "skips": 0.3,
            "assessors": 4,
        },
        "training": {"mode": "scratch", "passive_epochs": 2},
    },
    "best-of-batches": {"strategies": ["best_of_batches:batches=7"]},
    "screened": {"strategies": ["margin"], "screen": {"share": 0.2, "every": 3}},
    "screened in bf16": {
        "strategies": ["margin"],
        "screen": {"share": 0.2, "every": 3, "precision": "bf16"},
    },
    "some-candidates": {"strategies": ["margin"], "candidates": 30},
    "bald-both": {"strategies": ["bald:members=3:committee=both"]},
    "cluster-margin": {"strategies": ["cluster_margin"]},
    "drop-query": {"strategies": ["drop_query"]},
    "alfa-mix": {"strategies": ["alfa_mix"]},
    "product": {"strategies": ["product_margin:stochastic=power"]},
    "galaxy": {"strategies": ["galaxy"]},
    "batch-bald": {"strategies": ["batch_bald:members=3:samples=5:shortlist=20"]},
    "epig": {"strategies": ["epig:members=3:committee=both:targets=15:shortlist=20"]},
    "bait": {"strategies": ["bait:width=4:comparisons=100"]},
    "bagged-epig": {
        "strategies": ["epig:members=2:targets=5"],
        "model": {"name": "sklearn:tests.helpers.own_classifiers.pipeline"},
        "training": {},
    },
    "one-head": {"strategies": ["ideal_loss"], "model": {"heads": "one", "width": 8}},
    "custom-module": {
        "strategies": ["committee_entropy:members=2"],
        "model": {"name": "tests.helpers.own_modules:OwnNetwork"},
    },
    "forest": {
        "strategies": ["margin"],
        "model": {
            "name": "sklearn:sklearn.ensemble.RandomForestClassifier",
            "options": {"n_estimators": 5},
        },
        "training": {},
    },
    "bagged-pipeline": {
        "strategies": ["bald:members=2"],
        "model": {"name": "sklearn:tests.helpers.own_classifiers.pipeline"},
        "training": {},
    },
    "globally-seeded": {
        "strategies": ["entropy"],
        "model": {"name": "sklearn:tests.helpers.own_classifiers.Globally"},
        "training": {},
    },
    "badge, begun typically": {"strategies": ["badge"], "initial_selection": "typiclust"},
    "coreset, begun in strata": {"strategies": ["coreset"], "initial_selection": "stratified"},
    "typiclust": {"strategies": ["typiclust:clusters=20"]},
    "probcover": {"strategies": ["probcover"]},
    "max-herding": {"strategies": ["max_herding"]},
    "u-herding": {"strategies": ["u_herding"]},
    "density, begun at centres": {"strategies": ["density"], "initial_selection": "centroid"},
    "softmax": {"strategies": ["margin:stochastic=softmax"]},
    "softrank": {"strategies": ["entropy:stochastic=softrank"]},
    "class-balanced": {"strategies": ["class_balanced"]},
}
