"""Names of registered models: every region has a classifier and a forecaster of its own.

In: a region's id. Out: `kursk.complaint-classifier`, also the name of the experiment that its runs belong to.
"""

CLASSIFIER = "complaint-classifier"
FORECASTER = "complaint-forecaster"


def classifier_name(region: str) -> str:
    """The registered classifier of a region."""
    return f"{region}.{CLASSIFIER}"


def forecaster_name(region: str) -> str:
    """The registered forecaster of a region."""
    return f"{region}.{FORECASTER}"


def region_of(name: str) -> str:
    """The region whose model it is; empty for what all regions share."""
    return name.rpartition(".")[0]


def training_command(name: str) -> str:
    """What to run for a registered model that is missing."""
    region, _, model = name.rpartition(".")
    if not region:
        return "tsur adapt"
    return f"tsur train {model.removeprefix('complaint-')} --region {region}"
