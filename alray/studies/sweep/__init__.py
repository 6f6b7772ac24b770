"""Active-learning runs: plan, one run, what is started next, driver, records."""
