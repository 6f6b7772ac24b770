"""What a scikit-learn classifier cannot do is said while a study is planned, and so is what its fit warns of."""

import importlib.util

import pytest

from alray.errors import SpecError
from tests.helpers.builders import make_pool, plan_of
from tests.helpers.correlation_studies import correlation_plan

POOL = make_pool()
LIBRARY, OWN = "sklearn:sklearn", "sklearn:tests.helpers.own_classifiers"
LINEAR = f"{LIBRARY}.linear_model.LogisticRegression"


def planned(name=LINEAR, options=None, **changes):
    model = {"name": name, "options": options or {}}
    return plan_of(POOL, **{"model": model, "training": {}, **changes})


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (LINEAR, {"CC": 1}, "there is no option 'CC'; did you mean 'C'"),
        (f"{LIBRARY}.naive_bayes.GaussianNB", {"alpha": 1}, "no option 'alpha'; valid are: priors, var_smoothing"),
        (LINEAR, {"C": -1}, r"raised InvalidParameterError: The 'C' parameter .* fitted on 12 objects of 3 classes"),
        (LINEAR, {"random_state": 3}, "model.options.random_state: alray draws it anew .*leave it out"),
        (LINEAR, {"class_weight": {0: 2}}, "model.options.class_weight: .*set it to balanced"),
        (f"{LIBRARY}.linear_model.LogisticRegresion", {}, "did you mean 'LogisticRegression'"),
        (f"{LIBRARY}.ensemble.LogisticRegression", {}, f"has no 'LogisticRegression'; did you mean '{LINEAR}'"),
        (f"{LIBRARY}.nowhere.Foo", {}, f"'{LIBRARY}.nowhere.Foo' cannot be imported: No module named"),
        (f"{LIBRARY}.linear_model.RidgeClassifier", {}, "has no predict_proba: .* such as LogisticRegression"),
        (f"{LIBRARY}.svm.SVC", {}, "has no predict_proba"),
        (f"{LIBRARY}.linear_model.SGDClassifier", {}, "has no predict_proba with loss=hinge .*loss=log_loss may"),
        (f"{LIBRARY}.model_selection.KFold", {}, "is no scikit-learn estimator: KFold lacks fit, "),
        (f"{LIBRARY}.pipeline.Pipeline", {}, "missing 1 required positional argument: 'steps'"),
        (f"{LIBRARY}.neighbors.KNeighborsClassifier", {"n_neighbors": 50}, "n_neighbors = 50, .* in predict_proba of"),
        (f"{OWN}.pipeline", {"pca__n_componets": 2}, "did you mean 'pca__n_components'"),
        (f"{OWN}.pipeline", {"pca__random_state": 2}, "model.options.pca__random_state: alray draws"),
        (f"{OWN}.one_of_two", {"kimd": "plain"}, "there is no option 'kimd'; did you mean 'kind'"),
        (f"{OWN}.np", {}, "is no scikit-learn estimator: module lacks"),
        (f"{OWN}.Unseeded", {}, "answers otherwise when the same fit is repeated.*check_random_state"),
        (f"{OWN}.WithoutClasses", {}, "has no attribute classes_ with the 3 classes"),
        (f"{OWN}.Doubled", {}, "predict_proba returned rows that are no probabilities"),
        (f"{OWN}.OneColumn", {}, r"predict_proba returned an array \(\d+, 1\), not \(\d+, 3\): objects, classes"),
        (f"{OWN}.Missing", {}, "own_classifiers.py has no 'Missing'"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_work_is_refused_with_its_name_and_what_to_do(name, options, message):
    with pytest.raises(SpecError, match=message) as error:
        planned(name, options)
    assert "model." in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strategies": ["bald:committee=both"]}, "committee=both needs several heads.*use committee=dropout"),
        ({"strategies": ["committee_margin:committee=heads"]}, "committee=heads needs several heads"),
        ({"strategies": ["learning_loss"]}, "^learning_loss: predicting the loss needs hidden layers to tap"),
        ({"strategies": ["tests.helpers.own_modules:NeedsFeatures"]}, "a scikit-learn classifier does not offer: use"),
        ({"strategies": ["tests.helpers.own_modules:NeedsSound"]}, "needs side heads that the network lacks: sound"),
        ({"screen": True}, "screen works with model late_fusion, not sklearn:"),
        ({"execution": {"gpus_per_run": 1}}, "is fitted on the CPU; leave --gpus-per-run out"),
        ({"training": {"lr": 0.1}}, r"^training.lr has no effect on the scikit-learn classifier .* \(got 0.1\)"),
        ({"training": {"stopping": "held_out"}}, "^training.stopping has no effect"),
        ({"training": {"batch_norm": "frozen"}}, "^training.batch_norm has no effect"),
        ({"model": {"name": LINEAR, "heads": "one"}}, "^model.heads has no effect"),
        ({"vary": {"model.width": [128, 64]}}, "^model.width has no effect .*by model.options"),
        ({"vary": {"training.lr": [0.1, 0.2], "model.name": ["late_fusion", LINEAR]}}, "would be the same run"),
    ],
    ids=str,
)  # fmt: skip
def test_what_it_lacks_is_refused_beside_strategies_and_settings(changes, message):
    with pytest.raises(SpecError, match=message):
        planned(**{"rounds": 2, **changes})


@pytest.mark.parametrize("name", ["sklearn:LogisticRegression", "sklearn:a.b:C", "sklearn:a-b.C"])
def test_a_name_without_a_module_or_with_other_signs_is_refused(name):
    with pytest.raises(ValueError, match=rf"is not sklearn:package\.module\.Class.* as {LINEAR}"):
        planned(name)


def test_correlation_studies_refuse_it_with_the_reason():
    model = {"name": LINEAR}
    with pytest.raises(
        SpecError, match=r"fine-tunes one model on each group.*use model late_fusion"
    ):
        correlation_plan(POOL, model=model, training={})


def test_without_scikit_learn_the_package_to_install_is_named(monkeypatch):
    monkeypatch.setattr("alray.networks.estimators.find_spec", lambda name: None)
    with pytest.raises(SpecError, match=r'not installed: pip install "alray\[sklearn\]"'):
        planned()
    assert importlib.util.find_spec("sklearn") is not None


def test_what_a_fit_warns_of_is_said_once(caplog):
    plan = planned(f"{OWN}.Complaining", strategies=["margin", "bald", "entropy"])
    (text,) = caplog.messages
    assert "warns in a fit on 12 labels: UserWarning: no convergence (this is said once" in text
    assert len(plan.arms) == 3


def test_all_labels_teach_it_so_one_is_enough_and_none_is_counted_for_stopping():
    plan = planned(vary={"model.name": [LINEAR, "late_fusion"]}, initial=2)
    assert [run.training.stopping for run in plan.runs] == ["fixed_epochs", "from_labels"]
    plan = planned(vary={"model.name": [LINEAR]}, initial=1, full_data=True)
    assert {run.training.stopping for run in plan.runs} == {"fixed_epochs"}
    mixed = {"vary": {"model.name": [LINEAR, "late_fusion"]}, "training": {"stopping": "held_out"}}
    assert "early stopping where" in plan_of(POOL, **mixed).labels_outside.words
