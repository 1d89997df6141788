"""Spans of requests, and logs, for OpenTelemetry: where the standard environment variables say where they go."""
