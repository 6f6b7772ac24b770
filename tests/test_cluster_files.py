"""The files in `cluster/` say what they mean to: nothing here starts a cluster."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.scripts.scripts import start

import alray
from alray.cli import main

ROOT = Path(__file__).parent.parent
CLUSTER = ROOT / "cluster"
FILES = sorted(path for path in CLUSTER.rglob("*") if path.is_file())
FOLDERS = sorted(path for path in CLUSTER.iterdir() if path.is_dir())
STUDIES = [CLUSTER / "kuberay" / name for name in ("sweep.yaml", "correlate.yaml")]
LAUNCHES = [CLUSTER / "up" / name for name in ("onprem.yaml", "aws.yaml")]
SHELLS = [CLUSTER / "local" / "nodes", CLUSTER / "slurm" / "study.sbatch"]

# What `ray.io/v1` knows, as far as a study may want it: a name that is not here is a slip of the pen.
JOB = {
    "activeDeadlineSeconds", "authOptions", "backoffLimit", "entrypoint", "rayClusterSpec",
    "shutdownAfterJobFinishes", "submissionMode", "ttlSecondsAfterFinished",
}  # fmt: skip
CLUSTER_SPEC = {
    "authOptions", "autoscalerOptions", "enableInTreeAutoscaling", "headGroupSpec", "rayVersion", "workerGroupSpecs",
}  # fmt: skip
GROUP = {"rayStartParams", "template"}
WORKER_GROUP = GROUP | {"groupName", "maxReplicas", "minReplicas", "replicas"}
POD = {
    "automountServiceAccountToken", "containers", "restartPolicy", "securityContext", "volumes",
}  # fmt: skip
CONTAINER = {"command", "env", "image", "name", "resources", "securityContext", "volumeMounts"}


def names(paths):
    return [str(path.relative_to(CLUSTER)) for path in paths]


def documents(path):
    return list(yaml.safe_load_all(path.read_text()))


def leaves(value):
    """Return every text in a YAML value."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in leaves(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in leaves(inner)]
    return [value] if isinstance(value, str) else []


def typed(path):
    """Return a file's text with each command on one line: YAML's folded texts and the shell's continued lines."""
    text = path.read_text()
    if path.suffix == ".yaml":
        comments = re.findall(r"#.*", text)
        return "\n".join([*(word for part in documents(path) for word in leaves(part)), *comments])
    return text.replace("\\\n", " ")


def commands(path):
    """Return the words of each alray command with options that a file names."""
    pattern = r"\b(?:alray|study\.sbatch) ((?:sweep|correlate|report|pool \w+) (?=--)[^\n`&|;#']*)"
    return [shlex.split(words) for words in re.findall(pattern, typed(path))]


def parse(words):
    """Let click read a command's words as if typed, without running it."""
    command: click.Command = main
    name = ""
    while isinstance(command, click.Group):
        name, *words = words
        command = command.commands[name]
    return command.make_context(name, words)


def ray_starts(path):
    """Return the words of each `ray start` of a launch file, with the settings before it."""
    config = documents(path)[0]
    lines = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
    return [line for line in lines if "/ray start " in line]


def job(path):
    (document,) = documents(path)
    return document


def groups(path):
    cluster = job(path)["spec"]["rayClusterSpec"]
    return [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]


def test_every_alray_command_is_one():
    """A wrong option would be seen, and these folders have commands to look at."""
    folders = set()
    for path in FILES:
        for words in commands(path):
            parse(words)
            folders.add(path.relative_to(CLUSTER).parts[0])
    assert folders >= {"kuberay", "local", "slurm", "up"}
    with pytest.raises(click.NoSuchOption):
        parse(["sweep", "--sedes", "3"])


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_says_what_it_is(folder):
    """In a few lines, and whether anybody has run it."""
    text = (folder / "README.md").read_text()
    assert len(text.splitlines()) <= 40
    assert re.search(r"\*\*(Run|Validated, not run)\b", text)


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_no_file_holds_a_secret(path):
    """A token is made where it is used."""
    text = path.read_text()
    assert not re.search(
        r"\b[0-9a-fA-F]{32,}\b|\b[A-Za-z0-9+/]{40,}={0,2}\b|PRIVATE KEY|\bAKIA", text
    )
    assert not re.search(r"RAY_AUTH_TOKEN[=:]", text)


@pytest.mark.parametrize("path", SHELLS, ids=names(SHELLS))
def test_a_script_is_bash_with_a_token_that_only_its_owner_reads(path):
    """And the dashboard is on loopback, which is Ray's default, and no statistics of use are sent."""
    done = subprocess.run(["bash", "-n", path], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    text = path.read_text()
    assert re.search(r"RAY_AUTH_MODE=token\b", text)
    assert re.search(r"RAY_AUTH_TOKEN_PATH=", text)
    assert re.search(r"\(umask 077 && od .*>\"\$\w+", text)
    assert "--dashboard-host" not in text
    assert "RAY_USAGE_STATS_ENABLED=0" in text


def test_the_script_for_namespaces_explains_itself():
    """Without root, and names every command that it has."""
    script = CLUSTER / "local" / "nodes"
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)
    for word in ("up", "down", "address", "exec", "status", "cut", "mend", "kill"):
        assert re.search(rf"^  {word}\b", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("path", LAUNCHES, ids=names(LAUNCHES))
def test_ray_up_accepts_a_launch_file(path):
    config = prepare_config(documents(path)[0])
    validate_config(config)
    assert "/ray start --head" in config["head_start_ray_commands"][-1]
    wrong = prepare_config({**documents(path)[0], "max_worker": 3})
    with pytest.raises(Exception, match="max_worker"):
        validate_config(wrong)


@pytest.mark.parametrize("path", LAUNCHES, ids=names(LAUNCHES))
def test_ray_starts_with_a_token_and_options_that_it_has(path):
    """On the head and on the workers; the dashboard on loopback."""
    lines = ray_starts(path)
    assert len(lines) == 2
    for line in lines:
        settings, _, words = line.partition("/ray start ")
        assert "RAY_AUTH_MODE=token " in settings
        assert "RAY_USAGE_STATS_ENABLED=0 " in settings
        options = start.make_context("start", shlex.split(words)).params
        assert options["dashboard_host"] == "127.0.0.1"
    mounts = documents(path)[0]["file_mounts"]
    assert mounts["~/.ray/auth_token"] == "~/.ray/auth_token"


@pytest.mark.parametrize("path", STUDIES, ids=names(STUDIES))
def test_a_rayjob_has_only_fields_that_exist(path):
    study = job(path)
    assert (study["apiVersion"], study["kind"]) == ("ray.io/v1", "RayJob")
    assert set(study["spec"]) <= JOB
    assert set(study["spec"]["rayClusterSpec"]) <= CLUSTER_SPEC
    head, *workers = groups(path)
    assert set(head) == GROUP
    assert all(set(group) == WORKER_GROUP for group in workers)
    for group in groups(path):
        assert set(group["template"]["spec"]) <= POD
        assert all(set(one) <= CONTAINER for one in group["template"]["spec"]["containers"])


@pytest.mark.parametrize("path", STUDIES, ids=names(STUDIES))
def test_a_rayjob_is_tidy(path):
    """Authenticated, ended when done, tried again, and with the versions that alray is tested with."""
    spec = job(path)["spec"]
    cluster = spec["rayClusterSpec"]
    assert cluster["authOptions"] == {"mode": "token"}
    assert spec["shutdownAfterJobFinishes"]
    assert spec["ttlSecondsAfterFinished"] > 0
    assert spec["backoffLimit"] > 0
    pins = (ROOT / "scripts" / "constraints.txt").read_text().split()
    assert f"ray=={cluster['rayVersion']}" in pins
    for group in groups(path):
        (container,) = group["template"]["spec"]["containers"]
        assert container["image"] == f"alray:{alray.__version__}"
        assert {"name": "RAY_USAGE_STATS_ENABLED", "value": "0"} in container["env"]
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}


@pytest.mark.parametrize("path", STUDIES, ids=names(STUDIES))
def test_every_pod_has_its_object_store_in_memory(path):
    """Ray would move a store that does not fit to disk without failing."""
    for group in groups(path):
        pod = group["template"]["spec"]
        memory = {
            volume["name"]: volume["emptyDir"]["sizeLimit"]
            for volume in pod["volumes"]
            if volume.get("emptyDir", {}).get("medium") == "Memory"
        }
        (mounted,) = [
            mount["name"]
            for mount in pod["containers"][0]["volumeMounts"]
            if mount["mountPath"] == "/dev/shm"
        ]
        size = int(memory[mounted].removesuffix("Gi")) * 2**30
        assert int(group["rayStartParams"]["object-store-memory"]) < size


@pytest.mark.parametrize("path", STUDIES, ids=names(STUDIES))
def test_results_go_to_a_claimed_volume(path):
    pod = groups(path)[0]["template"]["spec"]
    claimed = {volume["name"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume}
    mounts = {mount["mountPath"]: mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
    (words,) = commands(path)
    assert mounts[str(parse(words).params["results"])] in claimed
    volumes = documents(CLUSTER / "kuberay" / "volumes.yaml")
    claims = {volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"][1:]}
    assert claims == {document["metadata"]["name"] for document in volumes}


def test_both_rayjobs_are_one_but_for_the_study():
    """The name, the command, and how many workers."""
    sweep, correlate = (job(path) for path in STUDIES)
    for study in (sweep, correlate):
        del study["metadata"]["name"], study["spec"]["entrypoint"]
        del study["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["maxReplicas"]
    assert sweep == correlate


def test_the_network_policy_is_about_the_pods_of_the_studies():
    policy = documents(CLUSTER / "kuberay" / "network-policy.yaml")[0]["spec"]
    pods = policy["podSelector"]["matchLabels"]
    for path in STUDIES:
        assert all(group["template"]["metadata"]["labels"] == pods for group in groups(path))
    assert policy["ingress"][0]["from"] == [{"podSelector": {"matchLabels": pods}}]


def test_the_image_is_pinned_and_not_roots():
    """Everything copied exists and reaches the builder; the user is the one that the pods run as."""
    text = (CLUSTER / "docker" / "Dockerfile").read_text()
    reached = (CLUSTER / "docker" / "Dockerfile.dockerignore").read_text().split()
    for sources in re.findall(r"^COPY (?:--\S+ )?(.+) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists()
            assert f"!{source}" in reached
    for line in re.findall(r"pip install.*", text.replace("\\\n", " ")):
        assert "--constraint /opt/alray/scripts/constraints.txt" in line
    assert re.search(r"RAY_AUTH_MODE=token\b", text)
    (user,) = re.findall(r"^USER (\d+)$", text, re.MULTILINE)
    for path in STUDIES:
        for group in groups(path):
            assert group["template"]["spec"]["securityContext"]["runAsUser"] == int(user)
