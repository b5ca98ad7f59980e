"""What tests of several subjects share. Nothing here is a test."""
