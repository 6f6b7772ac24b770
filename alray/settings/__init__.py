"""Every setting of both kinds of study, validated; nothing is computed."""
