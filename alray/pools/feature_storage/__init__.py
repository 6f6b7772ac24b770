"""Where the features of a pool lie: in memory, or in a file without a name on the disk, which processes map."""
