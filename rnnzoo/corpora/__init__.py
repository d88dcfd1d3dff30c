"""Corpora: fetching public files, reading the user's own, splitting them so that nothing leaks."""
