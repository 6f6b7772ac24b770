"""The layouts that `alray pool import` reads, a module each; `opening` chooses between them."""
