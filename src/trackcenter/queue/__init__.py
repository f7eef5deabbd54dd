"""Work leaves the database only through here, in the transaction that decided it."""
