"""What holds for every test: one thread, every warning each time, and no clock that a busy machine could run out."""

import torch
from hypothesis import settings

torch.set_num_threads(1)
torch.set_warn_always(True)
settings.register_profile("alray", deadline=None)
settings.load_profile("alray")
