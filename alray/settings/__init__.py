"""All settings of both kinds of study, validated; nothing is computed."""
