"""Regions: whom a ЦУР serves, and whose midnight ends a day."""
