"""The device of a worker's networks: the CPU, or a GPU that gives the same bits each time."""

import os
from contextlib import AbstractContextManager, nullcontext

import torch

from alray.errors import SpecError
from alray.settings.common import ExecutionSpec


def take_device(execution: ExecutionSpec) -> torch.device:
    """Return the device that a worker of these settings computes on, and set PyTorch up for it in this process.

    Raises:
        SpecError: A GPU is asked for, and PyTorch sees none.
    """
    if not execution.gpus_per_run:
        return torch.device("cpu")
    # Both are read when a process first multiplies on a GPU. Without the one, streams may sum in another order; without
    # the other, each Linear looks for its algorithm anew, for longer than it multiplies.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    os.environ.setdefault("DISABLE_ADDMM_CUDA_LT", "1")
    if not torch.cuda.is_available():
        raise SpecError(
            f"execution.gpus_per_run: {execution.gpus_per_run:g}, and PyTorch {torch.__version__} sees no GPU in this "
            "process: install a build for your GPU's driver (https://pytorch.org/get-started), or leave --gpus-per-run "
            "out"
        )
    tf32 = execution.gpu_precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    return torch.device("cuda")


def precision(execution: ExecutionSpec) -> AbstractContextManager[None]:
    """Return the context in which a worker's networks compute."""
    if execution.gpus_per_run and execution.gpu_precision == "bf16":
        return torch.autocast("cuda", torch.bfloat16, cache_enabled=False)
    return nullcontext()


def is_gpu_failure(error: BaseException) -> bool:
    """Return whether an error says that a process has lost its GPU, or found no memory on it.

    After most of them the process can compute nothing more on the GPU, so its worker has to be replaced.
    """
    return is_gpu_memory(error) or any(word in str(error) for word in ("CUDA error", "CUBLAS_"))


def is_gpu_memory(error: BaseException) -> bool:
    """Return whether a GPU had no memory left."""
    return isinstance(error, torch.OutOfMemoryError) or "CUDA out of memory" in str(error)
