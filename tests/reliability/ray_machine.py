"""One machine of a Ray cluster, all on the loopback address: a process that takes Ray's processes with it when it dies.

`python -m tests.reliability.ray_machine [ADDRESS]` is the head, or one that joins the head at ADDRESS. Prints the
head's address when it is ready, and lives until its standard input ends.
"""

import os
import sys

CORES = 1
STARTS = 3
"""As `batch/ray_cluster.py` says."""
STORE_BYTES = 100 * 2**20


def main() -> None:
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_worker_niceness": "0"}
    os.environ["RAY_raylet_start_wait_time_s"] = "60"  # noqa: SIM112 - Ray spells it so
    from ray._private.node import Node
    from ray._private.parameter import RayParams

    head = sys.argv[1] if len(sys.argv) > 1 else None
    for tries_left in reversed(range(STARTS)):
        parameters = RayParams(
            gcs_address=head,
            num_cpus=CORES,
            object_store_memory=STORE_BYTES,
            node_ip_address="127.0.0.1",
            include_dashboard=False,
            include_log_monitor=False,
            min_worker_port=0,
            max_worker_port=0,
            node_manager_port=0,
        )
        try:
            node = Node(parameters, head=head is None, shutdown_at_exit=True, spawn_reaper=True)
            break
        except Exception:  # Ray raises nothing finer
            if not tries_left:
                raise
    print(node.gcs_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
