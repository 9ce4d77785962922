import json

from neurobar.report import machines
from neurobar.report.machines import describe_machine, list_devices

H200 = {"device": "NVIDIA H200", "devices": 2, "threads": 1, "precision": "bfloat16"}
CPU = {"device": "cpu", "devices": 1, "threads": 4, "precision": "float32"}


def write_log(folder, name, said):
    path = folder / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(said)


def test_the_machine_is_named_as_its_system_names_it(tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text(
        "processor\t: 0\nmodel name\t: A Processor 9000\nmodel name\t: A Processor 9000\n"
    )
    (tmp_path / "meminfo").write_text("MemTotal:       16384256 kB\nMemFree: 1 kB\n")
    monkeypatch.setattr(machines, "PROCESSORS", tmp_path / "cpuinfo")
    monkeypatch.setattr(machines, "MEMORY", tmp_path / "meminfo")
    said = describe_machine()
    assert (said["processor"], said["memory_gb"]) == ("A Processor 9000", 16.4)
    assert said["cores"] >= 1
    assert said["system"]


def test_a_system_that_says_nothing_of_itself_is_no_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(machines, "PROCESSORS", tmp_path / "none")
    monkeypatch.setattr(machines, "MEMORY", tmp_path / "none")
    said = describe_machine()
    assert said["memory_gb"] is None
    assert said["processor"]


def test_devices_are_counted_by_rule(tmp_path):
    for fold in range(2):
        said = (
            'a warning of a "device"\n'
            + json.dumps({"fold": fold, "encoder": {"width": 64}, **H200})
            + "\nepoch 1/1  loss\n"
        )
        write_log(tmp_path, f"pretrain_encoder/bar/fold-{fold}/seed-0", said)
    write_log(tmp_path, "pretrain_encoder/bar/fold-2/seed-0", json.dumps(CPU) + "\n")
    write_log(tmp_path, "finetune_classifier/bar/fold-0/seed-0", json.dumps(CPU) + "\n")
    assert list_devices(tmp_path) == [
        {"rule": "pretrain_encoder", **H200, "jobs": 2},
        {"rule": "pretrain_encoder", **CPU, "jobs": 1},
        {"rule": "finetune_classifier", **CPU, "jobs": 1},
    ]


def test_a_log_that_names_no_device_counts_for_nothing(tmp_path):
    write_log(tmp_path, "pretrain_encoder/a", "")
    write_log(tmp_path, "pretrain_encoder/b", '{"device": broken\n')
    write_log(tmp_path, "pretrain_encoder/c", '{"fold": 0}\n')
    write_log(tmp_path, "check_scan/d", json.dumps(CPU) + "\n")
    assert list_devices(tmp_path) == []


def test_training_says_its_device_in_the_words_that_are_looked_for(tmp_path):
    from neurobar.training.devices import choose_device, describe

    said = describe(choose_device(device="cpu", threads=1, precision="auto"))
    write_log(tmp_path, "pretrain_encoder/bar", json.dumps({"fold": 0, **said}) + "\n")
    assert list_devices(tmp_path) == [{"rule": "pretrain_encoder", **said, "jobs": 1}]
