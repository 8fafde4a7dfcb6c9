"""Where a command computes: this machine, or a Ray cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from data.errors import ConfigError
from tsur.heartbeat import heartbeat

if TYPE_CHECKING:
    from batch.executor import Executor
    from batch.ray_executor import RayExecutor


@contextmanager
def ray_cluster(address: str | None, block: int = 1) -> "Iterator[RayExecutor]":
    """The executor of a cluster, one of this machine where no address is given.

    Raises:
        EngineError: there is none.
    """
    from batch.ray_cluster import connected
    from batch.ray_executor import RayExecutor

    heartbeat.step("starting Ray" if address is None else f"connecting to {address}")
    with connected(address):
        yield RayExecutor(block)


@contextmanager
def executor_of(engine: str, address: str | None, block: int) -> "Iterator[Executor | None]":
    """The executor that was named; None: the computation's own, on this machine."""
    check_address(engine, address)
    if engine == "local":
        yield None
        return
    with ray_cluster(address, block) as executor:
        yield executor


def check_address(engine: str, address: str | None) -> None:
    """Only a cluster has an address.

    Raises:
        ConfigError: this machine was given one.
    """
    if address is not None and engine == "local":
        raise ConfigError(f"--address {address} names a cluster: say --engine ray too")
