"""The manifests for Kubernetes and clouds have fields that KubeRay and SkyPilot know, of the right types.

The models below are the part of the published schemas that the manifests use: KubeRay's API ray.io/v1 with
the pods of Kubernetes, and SkyPilot's task YAML. What they do not name is refused.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML

from tests.conftest import ROOT

FOLDER = ROOT / "stages/runner/manifests"
Quantity = Annotated[str, Field(pattern=r"^\d+(\.\d+)?(m|Ki|Mi|Gi)?$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Resources(Strict):
    limits: dict[Literal["cpu", "memory"], Quantity]
    requests: dict[Literal["cpu", "memory"], Quantity]


class Container(Strict):
    name: str
    image: str
    resources: Resources


class Pod(Strict):
    containers: Annotated[list[Container], Field(min_length=1)]
    nodeSelector: dict[str, str] = {}  # noqa: N815


class Template(Strict):
    spec: Pod


class Head(Strict):
    rayStartParams: dict[str, str] = {}  # noqa: N815
    template: Template


class Workers(Head):
    groupName: str  # noqa: N815
    replicas: Annotated[int, Field(ge=0)]
    minReplicas: Annotated[int, Field(ge=0)]  # noqa: N815
    maxReplicas: Annotated[int, Field(ge=0)]  # noqa: N815


class Cluster(Strict):
    rayVersion: str  # noqa: N815
    enableInTreeAutoscaling: bool  # noqa: N815
    headGroupSpec: Head  # noqa: N815
    workerGroupSpecs: list[Workers]  # noqa: N815


class Job(Strict):
    entrypoint: str
    shutdownAfterJobFinishes: bool  # noqa: N815
    ttlSecondsAfterFinished: Annotated[int, Field(ge=0)]  # noqa: N815
    backoffLimit: Annotated[int, Field(ge=0)]  # noqa: N815
    rayClusterSpec: Cluster  # noqa: N815


class RayJob(Strict):
    apiVersion: Literal["ray.io/v1"]  # noqa: N815
    kind: Literal["RayJob"]
    metadata: dict[Literal["name", "generateName", "namespace"], str]
    spec: Job


class SkyResources(Strict):
    cpus: Annotated[str, Field(pattern=r"^\d+\+?$")]
    memory: Annotated[str, Field(pattern=r"^\d+\+?$")]
    use_spot: bool


class SkyTask(Strict):
    name: str
    workdir: str
    num_nodes: Annotated[int, Field(ge=1)]
    resources: SkyResources
    setup: str
    run: str


SCHEMAS: dict[str, type[Strict]] = {"rayjob.yaml": RayJob, "skypilot.yaml": SkyTask}


def load(name: str) -> Any:
    return YAML(typ="safe", pure=True).load(FOLDER / name)


def test_every_manifest_has_a_schema_and_is_valid() -> None:
    assert {path.name for path in FOLDER.iterdir()} == SCHEMAS.keys()
    for name, schema in SCHEMAS.items():
        schema.model_validate(load(name))
        text = (FOLDER / name).read_text()
        assert "not run by the authors" in text
        [study] = re.findall(r"python -m stages\.tools\.run (\S+) --on ray\n", text)
        assert (ROOT / study).is_file()
        for file in re.findall(r"requirements[\w-]*\.txt", text):
            assert (ROOT / file).is_file()


def test_the_ray_of_the_cluster_is_the_ray_that_is_pinned() -> None:
    version = load("rayjob.yaml")["spec"]["rayClusterSpec"]["rayVersion"]
    assert f"\nray=={version} " in (ROOT / "requirements-ray.txt").read_text()


def mistyped(manifest: Any) -> None:
    manifest["spec"]["backofLimit"] = manifest["spec"].pop("backoffLimit")


def a_number_for_a_quantity(manifest: Any) -> None:
    worker = manifest["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["template"]["spec"]
    worker["containers"][0]["resources"]["limits"]["cpu"] = 8


def start_parameters_are_texts(manifest: Any) -> None:
    manifest["spec"]["rayClusterSpec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] = 0


@pytest.mark.parametrize("spoil", [mistyped, a_number_for_a_quantity, start_parameters_are_texts])
def test_a_wrong_manifest_is_refused(spoil: Callable[[Any], None]) -> None:
    manifest = load("rayjob.yaml")
    spoil(manifest)
    with pytest.raises(ValidationError):
        RayJob.model_validate(manifest)
