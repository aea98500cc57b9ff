"""Measured figures. Each module prints one JSON line; none is a test."""
