"""Columns of the frames that a correlation study's findings are, each with what it holds."""

from collections.abc import Mapping

from alray.analysis.correlation.effects import EFFECT_COLUMNS

SUMMARY_COLUMNS: Mapping[str, str] = {
    "score": "name of the score",
    "queried": 'the end of the score a strategy would choose: "large" or "small"',
    "grouping": "groups cut by the score, by the score within each class, or at random (the null)",
    "outcome": "metric by which usefulness is measured; larger is better, nll is negated",
    "epochs": "dose: epochs of fine-tuning",
    "bases": "base models",
    "groups": "groups per base",
    "seeds": "fine-tuning seeds per group",
    "scores": "scores of this grouping: what p_max is corrected for",
    "rho": "Spearman's rho of a group's mean raw score and its usefulness, pooled over bases on Fisher's z",
    "rho_low": "lower end of its 95 % t interval over bases; null for one base",
    "rho_high": "upper end",
    "rho_bootstrap_low": "lower end of its 95 % bootstrap interval over the groups of these bases",
    "rho_bootstrap_high": "upper end",
    "rho_bases": "rho of each base",
    "p": "two-sided permutation p of rho",
    "p_max": "the same, corrected for all scores of this grouping, outcome and dose (largest |z|)",
    "icc": "reliability of a group's mean usefulness over the seeds, ICC(3,k), mean over bases",
    "icc_single": "reliability of one seed, ICC(3,1), mean over bases",
    "ceiling": "the largest rho this noise allows, sqrt(icc); null where icc is not positive",
    "rho_corrected": "rho / ceiling: what rho would be without noise in the outcome; may pass 1 by chance",
    "partial_rho": "rho given the class shares of the groups, pooled over bases",
    "uplift": "usefulness of the tenth of the groups at the queried end minus that of random groups (without "
    "random groups: of all groups of the grouping), mean over bases; null for groups cut at random",
    "against": 'what uplift is against: "random" groups, or "all" groups of the grouping; null where there is none',
    "uplift_low": "lower end of its 95 % interval: t over bases; for one base Welch's over its groups",
    "uplift_high": "upper end",
    "change": "mean usefulness of all groups: what a group does against the control, mean over bases",
    **EFFECT_COLUMNS,
    "seeds_needed": "seeds that would make the reliability 0.8 (Spearman-Brown); null where no number can be named",
    "matters": "smallest uplift that counts as an effect: a share, 0.1 unless set, of typical_change",
    "verdict": '"helps", "hurts", "no effect", "no difference" (groups do not differ beyond chance), "no change" '
    '(groups change nothing measurable) or "inconclusive": choosing the queried end, at this dose',
    "bound": 'X of "no effect larger than X", in the unit of uplift; null for other verdicts',
}
"""Columns of `CorrelationSummary.summary`, in order, each with what it holds."""

QUANTILE_COLUMNS: Mapping[str, str] = {
    "score": "name of the score",
    "grouping": "as in the summary",
    "outcome": "as in the summary",
    "epochs": "dose: epochs of fine-tuning",
    "quantile": "tenth of the groups by raw score, 0 the smallest to 9",
    "mean_score": "mean raw score of its groups",
    "mean": "mean usefulness of its groups, mean over bases",
    "low": "lower end of its 95 % t interval over bases (one base: over its groups)",
    "high": "upper end",
}
"""Columns of `CorrelationSummary.quantiles`."""

CHECK_COLUMNS: Mapping[str, str] = {
    "outcome": "as in the summary",
    "epochs": "dose: epochs of fine-tuning",
    "shuffled": "usefulness of groups with shuffled labels minus that of random groups, mean over bases: must be "
    "harmful; null where either is absent",
    "shuffled_low": "lower end of its 95 % interval: t over bases; for one base Welch's over its groups",
    "shuffled_high": "upper end",
    "split_half": "agreement of the groups' ranks over two halves of the seeds, as reliability of all seeds "
    "(2 r / (1 + r)), mean over bases and scores; null for one seed",
}
"""Columns of `CorrelationSummary.checks`."""
