"""What `deploy/` names is there: commands with their options, settings, files; systemd takes the units."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from data.settings import CHECKOUT, Settings

DEPLOY = CHECKOUT / "deploy"
UNITS = sorted(path for path in (DEPLOY / "systemd").iterdir() if path.suffix in (".service", ".timer"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"] == "tsur"}
TEXTS = {
    str(path.relative_to(DEPLOY)): path.read_text(encoding="utf-8") for path in DEPLOY.rglob("*") if path.is_file()
}


def check_command(arguments: list[str]) -> None:
    """Whether `tsur` would take these: parsed by the command line itself, and not run."""
    from tsur.cli import app

    command: Any = typer.main.get_command(app)
    context = command.make_context("tsur", arguments.copy(), resilient_parsing=False)
    while hasattr(command, "commands"):
        name, *rest = [*context._protected_args, *context.args]
        command = command.commands[name]
        context = command.make_context(name, rest, parent=context)


def commands() -> list[str]:
    """Every `tsur` command line of the folder."""
    found = [" ".join(service["command"]) for service in OURS.values() if service.get("command", [""])[0] == "tsur"]
    found += re.findall(r"^ExecStart=\S*/(tsur .*)$", "\n".join(TEXTS.values()), re.M)
    found += re.findall(r"(?<!run --rm service )\btsur (?:keys|train|doctor|serve|worker)[^`\n#]*", TEXTS["README.md"])
    found += [" ".join(each) for each in re.findall(r'^CMD \["(tsur)", (.*)\]$', TEXTS["Containerfile"], re.M)]
    return [re.sub(r'[",]', "", each).strip() for each in found]


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_every_command_exists_with_its_options(line: str) -> None:
    check_command(shlex.split(line)[1:])


def test_the_crontab_of_the_docs_runs_what_the_retrain_timer_runs() -> None:
    page = (CHECKOUT / "docs" / "retraining.md").read_text(encoding="utf-8")
    (crontab,) = re.findall(r"```cron\n(.*)\n```", page)
    unit = re.findall(r"^ExecStart=\S*/(tsur .*)$", TEXTS["systemd/tsur-retrain.service"], re.M)
    assert re.findall(r"\.venv/bin/(tsur [^&]*[^&\s])", crontab) == unit
    for line in unit:
        check_command(shlex.split(line)[1:])


def test_the_check_of_commands_can_fail() -> None:
    with pytest.raises(Exception, match="No such option"):
        check_command(["serve", "--no-such-option"])


@pytest.mark.parametrize("name", TEXTS)
def test_every_setting_exists(name: str) -> None:
    known = {f"TSUR_{field.upper()}" for field in Settings.model_fields}
    assert set(re.findall(r"\bTSUR_[A-Z_]+\b", TEXTS[name])) <= known


def test_every_file_that_the_compose_file_mounts_is_there() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], volume
    assert {service["build"]["dockerfile"] for service in OURS.values()} == {"deploy/Containerfile"}
    for name in re.findall(r"^COPY (.*) \./$", TEXTS["Containerfile"], re.M)[0].split():
        assert (CHECKOUT / name).is_file()


def test_all_that_an_installation_takes_is_in_the_compose_file() -> None:
    assert set(COMPOSE["services"]) == {"service", "worker", "postgresql", "mlflow", "prometheus", "grafana"}
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert all(port.startswith("127.0.0.1:") for port in published), "TLS stands before all of them"
    scraped = yaml.safe_load(TEXTS["prometheus.yaml"])["scrape_configs"]
    assert [job["job_name"] for job in scraped] == ["tsur"], "as the alerts call it"
    assert scraped[0]["static_configs"][0]["targets"] == ["service:3000"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    python = Path(sys.executable).parent / "tsur"
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/tsur/.venv/bin/tsur", str(python))
        text = text.replace("file:/opt/tsur", f"file:{CHECKOUT}").replace("/opt/tsur", str(CHECKOUT))
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit.name) for unit in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "tsur" in line]
    assert (done.returncode, said) == (0, []), done.stderr
