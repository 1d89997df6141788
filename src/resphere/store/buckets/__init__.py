"""Large contents in a bucket of S3-compatible storage."""
