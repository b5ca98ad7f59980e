"""What has been measured for the record: `records/`, a JSON file for each subject."""
