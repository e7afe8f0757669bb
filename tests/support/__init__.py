"""Real servers and small doubles that tests share; nothing of the product lives here."""
