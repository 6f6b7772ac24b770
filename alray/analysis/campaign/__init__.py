"""What a campaign has reached: frames in, numbers and sentences out."""
