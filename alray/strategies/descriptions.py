"""What there is to know about a built-in strategy before it is chosen: the idea, the source, the cost, the worth."""

from collections.abc import Mapping
from dataclasses import dataclass

_LABELBENCH = "on frozen embeddings (recomputed from 13 settings of LabelBench, Zhang et al. 2024)"
_CDAL = "mean rank {} of 11 on encoded data, where random has 6.4 (CDALBench, Werner et al. 2024)"


@dataclass(frozen=True)
class Description:
    """A strategy in words.

    Attributes:
        chooses: Which objects it chooses.
        source: Where it comes from.
        cost: What a query takes besides a scoring pass, or instead of one.
        worth: Where it is known to help, or not to; empty where nobody has said.
    """

    chooses: str
    source: str
    cost: str
    worth: str = ""


SYMBOLS = (
    "n candidates, k objects to query, c classes, d units of the last layer, m members of a committee, l labelled "
    "objects"
)
"""What costs are written in."""

_SORTED = "n c, and a partial sort"
_COMMITTEE = "m passes behind the first layer, which members share; n m c"

DESCRIPTIONS: Mapping[str, Description] = {
    "random": Description(
        "any object", "", "nothing is scored", "what every other strategy is compared with"
    ),
    "least_confidence": Description(
        "where the largest probability is small",
        "Lewis and Gale 1994",
        _SORTED,
        f"mean gain in area of .005 over random {_LABELBENCH}, but a loss by balanced accuracy on two of them",
    ),
    "margin": Description(
        "where the two largest probabilities are close",
        "Scheffer et al. 2001",
        _SORTED,
        f"better than random in 10 of 13 settings and worse in none {_LABELBENCH}; as good as any on 69 tabular sets "
        f"(Bahri et al. 2022); {_CDAL.format('3.7')}",
    ),
    "entropy": Description(
        "where probabilities are spread over many classes",
        "Shannon 1948",
        _SORTED,
        f"mean gain in area of .002 over random {_LABELBENCH}; {_CDAL.format('5.4')}",
    ),
    "product_margin": Description(
        "where the product of all heads' probabilities has two close maxima",
        "products of experts (Hinton 2002), with the margin",
        "n c for each head, and a partial sort",
    ),
    "committee_least_confidence": Description(
        "where a committee's mean probability has a small maximum", "Seung et al. 1992", _COMMITTEE
    ),
    "committee_margin": Description(
        "where the two largest of a committee's mean probabilities are close",
        "Seung et al. 1992",
        _COMMITTEE,
    ),
    "committee_entropy": Description(
        "where a committee's mean probabilities are spread", "Seung et al. 1992", _COMMITTEE
    ),
    "bald": Description(
        "where the members of a committee disagree",
        "Houlsby et al. 2011, Gal et al. 2017",
        _COMMITTEE,
        f"small images from few labels (Gal et al. 2017); {_CDAL.format('6.8')}",
    ),
    "batch_bald": Description(
        "objects whose labels together tell most about which member of a committee is right",
        "Kirsch et al. 2019",
        f"{_COMMITTEE}; for each object chosen at most shortlist x samples x m c, 500 x 10,000 x m c",
        "pools with many copies, where the best by BALD are alike (Kirsch et al. 2019)",
    ),
    "epig": Description(
        "objects whose label tells most about the labels of other objects of the pool",
        "Bickford Smith et al. 2023",
        f"{_COMMITTEE}; shortlist x targets x m c^2, 10,000 x 100 x m c^2",
        "pools with objects unlike those to be predicted (Bickford Smith et al. 2023)",
    ),
    "badge": Description(
        "draws where gradients are large and far apart",
        "Ash et al. 2020",
        "k n (c + d)",
        f"better than random in 12 of 13 settings and worse in none {_LABELBENCH}; {_CDAL.format('4.3')}",
    ),
    "bait": Description(
        "a batch whose Fisher information covers that of the pool",
        "Ash et al. 2021",
        "n c^2 w^2 with w = 30 numbers left of d; 50,000 comparisons of c^2 (c + w^2); 3 k products of c (c w)^2; six "
        "matrices of (c w)^2 numbers, refused above 1 GB each",
        f"mean gain in area of .003 over random in 2 settings {_LABELBENCH}",
    ),
    "coreset": Description(
        "what is farthest from all that is labelled",
        "Sener and Savarese 2018",
        "(l + k) n d",
        f"below random by accuracy {_LABELBENCH}, but the best of five by balanced accuracy on two of them; "
        f"{_CDAL.format('6.4')}",
    ),
    "cluster_margin": Description(
        "small margins, from as many clusters as possible",
        "Citovsky et al. 2021",
        "the square of at most 5,000 candidates, and 10 k products with the means of their clusters",
        "made for queries of thousands",
    ),
    "typiclust": Description(
        "the most typical object of each cluster without labels",
        "Hacohen et al. 2022",
        "k-means, and the distances within k clusters; no scoring pass",
        f"made for the first labels, where doubt misleads; {_CDAL.format('9.7')}",
    ),
    "probcover": Description(
        "the object with the most uncovered candidates in a ball around it",
        "Yehuda et al. 2022",
        "k-means, and the square of at most 20,000 candidates, twice; no scoring pass",
        "made for few labels",
    ),
    "max_herding": Description(
        "what brings the most candidates near to a labelled object",
        "Bae et al. 2024",
        "the square of at most 35,000 candidates, once; no scoring pass",
        "made for few labels",
    ),
    "u_herding": Description(
        "the same, counting each candidate by the model's doubt of it",
        "Bae et al. 2025",
        "the square of at most 35,000 candidates, once",
        "made for few and for many labels",
    ),
    "drop_query": Description(
        "where predictions change as inputs are dropped, spread out",
        "Gupte et al. 2024",
        "a plain pass for each of 3 predictions, and k-means of what changes",
        "made for frozen embeddings",
    ),
    "alfa_mix": Description(
        "where predictions change as features move a little, spread out",
        "Parvaneh et al. 2022",
        "n c d, and k-means of what changes",
        "made for few labels",
    ),
    "galaxy": Description(
        "the middle between an object of a class and one of another, on a line for each class; within a query "
        "predicted classes stand in for labels",
        "Zhang et al. 2022",
        "n c log n, and k c log l",
        f"made for unequal classes; mean gain in area of .006 over random {_LABELBENCH}, better in 8 of the 9 that it "
        "was run in; it read each label before the next choice there, as it does here with a query of 1",
    ),
    "density": Description(
        "where a score is good and many candidates are alike", "Settles and Craven 2008", "n d"
    ),
    "class_balanced": Description(
        "the best score of the predicted class with the fewest labels",
        "quotas by predicted class, as many use them",
        "n log n",
        "made for unequal classes, and for metrics that count each class once",
    ),
    "learning_loss": Description(
        "the largest loss, as a module predicts it that is trained beside the network",
        "Yoo and Kweon 2019",
        "n x 128 x hidden layers; fits take longer",
    ),
    "ideal_loss": Description(
        "the largest true loss: an oracle, which needs the labels",
        "a diagnostic: what learning loss would choose if it predicted perfectly",
        _SORTED,
    ),
    "reverse_ideal_loss": Description(
        "the smallest true loss: an oracle", "the same, reversed", _SORTED
    ),
    "best_of_batches": Description(
        "of batches that several strategies propose, the one after which the validation loss is smallest: an oracle",
        "after the best-of-strategies oracle BoSS (2603.13109)",
        "12 fits and evaluations on the validation part, and what badge, density and coreset take twice",
        "a diagnostic: what choosing gains that knows the labels, one round ahead, so a better choice may exist; on "
        "openclipart (six seeds, 30 rounds) it gained no more area than badge, .012 against .013",
    ),
}
"""Strategy: its description."""
