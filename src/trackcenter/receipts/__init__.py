"""What the outside reports: verified and stored first, understood second, applied third."""
