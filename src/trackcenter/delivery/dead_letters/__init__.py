"""Dead letters as administrators see them: with the bill, unit and building each is about."""
