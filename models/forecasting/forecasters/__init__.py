"""The forecasters: one module each, behind one interface."""
