"""KPIs of a regional centre: one computation that page, API and report share."""
