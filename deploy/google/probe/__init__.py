"""The first-day probe: questions to Google Cloud whose answers no page gives, asked in an empty project."""
