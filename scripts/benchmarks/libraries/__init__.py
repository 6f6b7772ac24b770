"""One active-learning round by alray, a plain PyTorch loop and other libraries, each in a process of its own."""
