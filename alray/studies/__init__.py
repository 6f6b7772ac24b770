"""What a study is: folder, manifest, driver, retries; below, its two kinds, which do not import each other."""
