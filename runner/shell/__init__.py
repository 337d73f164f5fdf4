"""Arguments, help, report: what a person types and sees."""
