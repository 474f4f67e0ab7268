"""A Ray cluster of two nodes on this computer: prints its address, kills the second node when told so, ends at EOF.

A program of its own, so that whatever becomes of the tests, the cluster ends with its standard input.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from ray.cluster_utils import Cluster

STORE = 80 << 20


def main() -> None:
    # Short, since the sockets in it may have names of 107 bytes at most; and its own, so that nothing else is met.
    folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    # The file that tells `auto` where a cluster is: not the one that all of this computer's share.
    os.environ["RAY_TMPDIR"] = folder
    Path(folder, "ray").mkdir()
    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": STORE, "temp_dir": folder}
    # A node that is gone is missed after seconds, not half a minute.
    head["_system_config"] = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 1000}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        second = cluster.add_node(num_cpus=1, object_store_memory=STORE)
        print(cluster.address, flush=True)
        for line in sys.stdin:
            if line == "kill\n":
                cluster.remove_node(second, allow_graceful=False)
            elif line == "add\n":
                second = cluster.add_node(num_cpus=1, object_store_memory=STORE)
            print("done", flush=True)
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
