"""A Slurm of one node that the tests start by themselves and end after them."""

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

#: Debian has daemons where not everybody looks.
PLACES = os.pathsep.join([os.environ["PATH"], "/usr/sbin"])
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
CONFIGURATION = """
ClusterName=alone
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthInfo=socket={folder}/munge.socket
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2
MinJobAge=7200
ReturnToService=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory_mb} Gres=gpu:1 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@dataclass(frozen=True)
class Cluster:
    """A cluster of this machine alone.

    Attributes
    ----------
    folder : pathlib.Path
        Its configuration, state and logs.
    """

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return what makes Slurm's commands speak to this cluster and to no other, which hands out GPUs itself."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": PLACES, "NEUROBAR_GPU_LOCKS": ""}

    def call(self, *words: str) -> str:
        """Return what a command of Slurm says."""
        done = subprocess.run(words, env=os.environ | self.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def list_jobs(self) -> list[dict[str, str]]:
        """Return all jobs that there were: which rule or group, how they ended, and what they asked for."""
        columns = {
            "comment": "comment",
            "state": "state",
            "gpus": "tres-per-job",
            "memory": "minmemory",
            "cpus": "numcpus",
        }
        said = self.call(
            "squeue", "--states=all", "--noheader", "--Format", ",".join(f"{c}:200" for c in columns.values())
        )
        rows = [[line[at : at + 200].strip() for at in range(0, 200 * len(columns), 200)] for line in said.splitlines()]
        return [dict(zip(columns, row, strict=True)) for row in rows]


def free_ports(number):
    """Return ports that nothing listens to."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def write_configuration(folder):
    """Write the files that the three daemons read."""
    controller_port, node_port = free_ports(2)
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o400)
    (folder / "gres.conf").write_text("Name=gpu File=/dev/null\n")
    (folder / "slurm.conf").write_text(
        CONFIGURATION.format(
            host=socket.gethostname().split(".")[0],
            controller_port=controller_port,
            node_port=node_port,
            folder=folder,
            user="root",
            cores=os.cpu_count(),
            memory_mb=memory_mb * 9 // 10,
        )
    )


def start_daemons(folder):
    """Start what a cluster consists of."""
    munge = [f"--{name}={folder}/munge.{name.split('-')[0]}" for name in ("key-file", "socket", "log-file", "pid-file")]
    munge.append(f"--seed-file={folder}/munge.seed")
    commands = [
        ["munged", "--foreground", "--force", "--num-threads=1", *munge],
        ["slurmctld", "-D", "-f", str(folder / "slurm.conf")],
        ["slurmd", "-D", "-f", str(folder / "slurm.conf")],
    ]
    environment = os.environ | Cluster(folder).environment
    with (folder / "daemons.log").open("w") as said:
        return [
            subprocess.Popen([shutil.which(name, path=PLACES), *words], env=environment, stdout=said, stderr=said)
            for name, *words in commands
        ]


def wait_until_idle(cluster, daemons):
    """Wait until the node takes jobs."""
    for _ in range(60):
        assert all(daemon.poll() is None for daemon in daemons), (cluster.folder / "daemons.log").read_text()
        asked = subprocess.run(
            ["sinfo", "-h", "-o", "%T"], env=os.environ | cluster.environment, capture_output=True, text=True
        )
        if asked.stdout.strip() == "idle":
            return
        time.sleep(0.5)
    raise AssertionError((cluster.folder / "slurmctld.log").read_text())


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """Start a cluster of one node; skip where Slurm is missing or this user may not start it."""
    if any(shutil.which(program, path=PLACES) is None for program in PROGRAMS):
        pytest.skip("Slurm and munge are not here")
    if os.geteuid() != 0:
        pytest.skip("only root can start a Slurm")
    if "SLURM_JOB_ID" in os.environ:
        pytest.skip("this is a job of a real cluster")
    folder = tmp_path_factory.mktemp("slurm")
    write_configuration(folder)
    cluster = Cluster(folder)
    daemons = start_daemons(folder)
    try:
        wait_until_idle(cluster, daemons)
        yield cluster
        cluster.call("scancel", "--user=root")
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            daemon.wait(timeout=30)
