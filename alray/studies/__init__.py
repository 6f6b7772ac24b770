"""What a study is: its folder, manifest, failures and retries; below, the two kinds of study, which do not know each other."""
