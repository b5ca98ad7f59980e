"""What repeats exactly: workers whose lives are counted, and never timed."""
