"""Fine-tunes on groups of objects: plan, one fine-tune, driver, records."""
